//! The authorities that are trusted, and what to do next in their exchange.

use domain::console::visible;
use serde::Serialize;

use super::{Look, table::table, time::time};

/// The authorities, as they are printed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorities {
    /// `settled`, `introduced` or `active`.
    pub phase: String,
    /// All that are trusted, the signing one first.
    pub authorities: Vec<Authority>,
    /// Delegates that are not ready for the next phase: a sentence each.
    pub waiting: Vec<String>,
    /// The certificates, PEM.
    pub bundle: String,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// Serial number of its certificate, hexadecimal.
    pub serial: String,
    /// When it ends, milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
    /// It signs what is made now.
    pub signs: bool,
}

impl From<proto::api::AuthoritiesResponse> for Authorities {
    fn from(wire: proto::api::AuthoritiesResponse) -> Self {
        let authorities = wire.authorities.into_iter();
        let authorities = authorities.map(|authority| Authority {
            serial: authority.serial,
            expires_at_ms: authority.expires_at_ms,
            signs: authority.signs,
        });
        Self { phase: wire.phase, authorities: authorities.collect(), waiting: wire.waiting, bundle: wire.bundle }
    }
}

/// A table of them, who is waited for, and the next thing to do.
pub fn authorities(shown: &Authorities, look: Look) -> String {
    let rows = shown.authorities.iter().map(|authority| {
        let signs = if authority.signs { "signs" } else { "trusted" };
        vec![visible(&authority.serial).into_owned(), signs.to_owned(), time(authority.expires_at_ms)]
    });
    let mut text = table(&["SERIAL", "", "ENDS"], rows, look.width);
    text += match shown.phase.as_str() {
        "settled" => "\nNo exchange is under way. Begin one: segue authority rotate\n",
        "introduced" => {
            "\nThe next authority is trusted beside the one that signs. Everybody who uses a context file runs: segue context refresh\n\
             Then let it sign: segue authority rotate\n"
        }
        "active" => "\nThe new authority signs; the one before is still trusted. Forget it: segue authority rotate\n",
        _ => "",
    };
    if !shown.waiting.is_empty() {
        text += "\nNot ready for that:\n";
        shown.waiting.iter().for_each(|sentence| text += &format!("  {}\n", visible(sentence)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_to_do_next_and_who_is_waited_for() {
        let authority = |serial: &str, signs| Authority { serial: serial.into(), expires_at_ms: 2_100_000_000_000, signs };
        let shown = Authorities {
            phase: "introduced".into(),
            authorities: vec![authority("4a01", true), authority("5b02", false)],
            waiting: vec!["one\u{1b}[2J (dlg_1) is not connected".into()],
            bundle: String::new(),
        };
        let text = authorities(&shown, Look::default());
        for expected in
            ["4a01", "signs", "trusted", "2036-07-18", "segue context refresh", "segue authority rotate", "is not connected"]
        {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
