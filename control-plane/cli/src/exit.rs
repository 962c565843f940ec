//! The exit status: the one place where codes and outcomes become numbers, so that a script can tell apart what it must.

use std::process::ExitCode;

use domain::{error::ErrorCode, outcome::Outcome};

/// For `--help`.
pub const HELP: &str = "\
Exit status:
   0  done; of a deployment: succeeded
   1  a fault of Segue's own
   2  wrong usage
   3  refused: a document, a name or the present state forbids it
   4  the control plane cannot be reached, or cannot do it now
   5  no or wrong credentials, or not allowed
  10  the deployment was rolled back: all is as it was before
  11  the deployment needs an operator: something could not be undone
  12  the deployment was aborted
  13  the deployment was rejected
 130  interrupted with Ctrl-C; a deployment goes on";

/// Wrong usage: what clap ends with.
pub const USAGE: u8 = 2;
/// Interrupted with Ctrl-C, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// The status for an error's code.
pub fn of_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::Invalid | ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::Refused | ErrorCode::Exhausted => 3,
        ErrorCode::Unavailable | ErrorCode::TimedOut => 4,
        ErrorCode::Unauthenticated | ErrorCode::Forbidden => 5,
        ErrorCode::Internal => 1,
    }
}

/// The status for a deployment's end.
pub fn of_outcome(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::RolledBack => 10,
        Outcome::NeedsOperator(_) => 11,
        Outcome::Aborted => 12,
        Outcome::Rejected => 13,
    }
}

/// As the process ends with it.
pub fn code(status: u8) -> ExitCode {
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_must_tell_apart_has_its_own_status() {
        let outcomes =
            [Outcome::Succeeded, Outcome::RolledBack, Outcome::NeedsOperator(Vec::new()), Outcome::Aborted, Outcome::Rejected];
        let mut statuses: Vec<u8> = outcomes.iter().map(of_outcome).collect();
        statuses.extend([of_code(ErrorCode::Refused), of_code(ErrorCode::Unavailable), of_code(ErrorCode::Forbidden)]);
        statuses.extend([of_code(ErrorCode::Internal), USAGE, INTERRUPTED]);
        let different: std::collections::BTreeSet<u8> = statuses.iter().copied().collect();
        assert_eq!(different.len(), statuses.len());
        for code in ErrorCode::ALL {
            assert!(different.contains(&of_code(code)), "{code} has a status that no outcome has");
        }
        for status in different {
            assert!(HELP.contains(&format!("{status:>4}  ")), "{status} is documented");
        }
    }
}
