//! Asking a person before something that is not taken back lightly.

use std::io::{self, BufRead as _, IsTerminal as _};

use domain::error::{Error, ErrorCode};

use crate::render::Screen;

/// Asks on a terminal; without one, somebody has to have said yes before.
pub(super) fn confirm(screen: &mut Screen, question: &str) -> Result<(), Error> {
    let not_confirmed = |text: &str| Error::new(ErrorCode::Refused, text).hint("nothing was changed");
    if !io::stdin().is_terminal() {
        return Err(Error::new(ErrorCode::Invalid, "there is no terminal to ask on").hint("add --yes"));
    }
    screen.note(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| not_confirmed(&format!("no answer could be read: {error}")))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(not_confirmed("not confirmed")),
    }
}
