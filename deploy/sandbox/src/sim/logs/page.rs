//! Pages of a stream's events, which are read in both directions: every answer has a token for each. At an end, the token that comes
//! back is the one that was given.

/// Where a page lies: numbers of the first event and of the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The first event's number.
    pub start: usize,
    /// The number after the last event's.
    pub end: usize,
}

/// The page that is asked for among the events `first..last`, or none if the token is no token.
pub fn page(token: Option<&str>, from_head: bool, size: usize, first: usize, last: usize) -> Option<Page> {
    let forward = |start: usize| {
        let start = start.clamp(first, last);
        Page { start, end: last.min(start.saturating_add(size)) }
    };
    let backward = |end: usize| {
        let end = end.clamp(first, last);
        Page { start: first.max(end.saturating_sub(size)), end }
    };
    match token {
        None if from_head => Some(forward(first)),
        None => Some(backward(last)),
        Some(token) => {
            let (direction, rest) = token.split_once('/')?;
            let number = rest.strip_suffix("/s")?.parse().ok()?;
            match direction {
                "f" => Some(forward(number)),
                "b" => Some(backward(number)),
                _ => None,
            }
        }
    }
}

impl Page {
    /// The token of what comes after.
    pub fn forward(self) -> String {
        format!("f/{:056}/s", self.end)
    }

    /// The token of what comes before.
    pub fn backward(self) -> String {
        format!("b/{:056}/s", self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(page: Option<Page>) -> (usize, usize) {
        page.map(|page| (page.start, page.end)).expect("a page")
    }

    #[test]
    fn without_a_token_it_is_the_newest_or_the_oldest_page() {
        assert_eq!(numbers(page(None, false, 3, 0, 10)), (7, 10));
        assert_eq!(numbers(page(None, true, 3, 0, 10)), (0, 3));
        assert_eq!(numbers(page(None, true, 30, 4, 10)), (4, 10));
    }

    #[test]
    fn tokens_lead_on_and_stay_at_the_ends() {
        let middle = page(None, true, 4, 0, 10).expect("a page");
        let next = page(Some(&middle.forward()), false, 4, 0, 10).expect("a page");
        assert_eq!((next.start, next.end), (4, 8));
        assert_eq!(numbers(page(Some(&next.backward()), false, 4, 0, 10)), (0, 4));
        let end = page(Some(&next.forward()), false, 4, 0, 10).expect("a page");
        let over = page(Some(&end.forward()), false, 4, 0, 10).expect("a page");
        assert_eq!((over.start, over.end, over.forward()), (10, 10, end.forward()));
        assert_eq!(numbers(page(Some(&over.forward()), false, 4, 0, 12)), (10, 12), "what came later");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for token in ["", "f/", "x/1/s", "f/one/s", "b/1"] {
            assert_eq!(page(Some(token), false, 4, 0, 10), None, "{token}");
        }
    }
}
