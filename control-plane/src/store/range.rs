//! Which keys of a table a scan goes over, and from which end.

use std::ops::Bound;

/// Where a range begins and ends.
type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Keys from one (included) to another (not included), in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    reverse: bool,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self { from: Vec::new(), to: None, reverse: false }
    }

    /// The keys that begin so.
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Self {
        let from = prefix.as_ref().to_vec();
        // The first key after all of these: the prefix with its last byte that can be raised raised.
        let mut to = from.clone();
        while to.pop_if(|byte| *byte == u8::MAX).is_some() {}
        if let Some(last) = to.last_mut() {
            *last += 1;
        }
        Self { from, to: (!to.is_empty()).then_some(to), reverse: false }
    }

    /// The keys from `from` (included) to `to` (not included).
    pub fn between(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Self {
        Self { from: from.as_ref().to_vec(), to: Some(to.as_ref().to_vec()), reverse: false }
    }

    /// The keys from `from` (included) on.
    pub fn starting(from: impl AsRef<[u8]>) -> Self {
        Self { from: from.as_ref().to_vec(), to: None, reverse: false }
    }

    /// The same keys, greatest first.
    #[must_use]
    pub fn reverse(mut self) -> Self {
        self.reverse = !self.reverse;
        self
    }

    pub(super) fn is_reverse(&self) -> bool {
        self.reverse
    }

    /// The bounds, or none if no key can be in between.
    pub(super) fn bounds(&self) -> Option<Bounds<'_>> {
        let to = self.to.as_deref();
        let empty = to.is_some_and(|to| to <= self.from.as_slice());
        (!empty).then(|| (Bound::Included(self.from.as_slice()), to.map_or(Bound::Unbounded, Bound::Excluded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_one_begins() {
        assert_eq!(KeyRange::prefix(b"ab").to.as_deref(), Some(b"ac".as_slice()));
        assert_eq!(KeyRange::prefix([1, 0xff, 0xff]).to.as_deref(), Some([2].as_slice()));
        assert_eq!(KeyRange::prefix([0xff]).to, None);
        assert_eq!(KeyRange::prefix([]), KeyRange::all());
    }

    #[test]
    fn a_range_that_ends_before_it_begins_has_no_bounds() {
        assert!(KeyRange::between(b"b", b"a").bounds().is_none());
        assert!(KeyRange::between(b"a", b"a").bounds().is_none());
        assert!(KeyRange::between(b"a", b"b").bounds().is_some());
    }
}
