//! The nearest known name to an unknown one, for messages that end with "did you mean".

/// Longest text that is compared, in bytes.
const LONGEST: usize = 256;

/// The candidate nearest to `given` by edit distance, if one is near enough to be a slip of the pen.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer than any name is no slip of the pen, and comparing it would take long.
    if given.len() > LONGEST {
        return None;
    }
    let limit = (given.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(given, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance over characters, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_slip_of_the_pen_and_nothing_far() {
        let known = ["workflow.variables.Desired", "infra.cluster", "artifact.tag"];
        assert_eq!(nearest("infra.clutser", known), Some("infra.cluster"));
        assert_eq!(nearest("workflow.variables.desired", known), Some("workflow.variables.Desired"));
        assert_eq!(nearest("something.else.entirely", known), None);
    }
}
