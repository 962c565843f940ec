//! Making text from outside safe for a terminal.
//!
//! Log lines, AWS's messages and resource names come from outside. They are stored as they came and made visible here, at the
//! last moment: a control character, a bidirectional override or an escape sequence is shown as an escape, never obeyed.

use std::borrow::Cow;

/// `text` with every character that a terminal could obey, or that could reorder or hide what is read, written as an escape.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            c if hides(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn hides(c: char) -> bool {
    // C0, DEL and C1 steer a terminal; the rest reorder text or have no width.
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied_and_escapes_are_shown() {
        assert!(matches!(visible("grün ✓"), Cow::Borrowed(_)));
        assert_eq!(visible("\u{1b}[31mred\u{1b}]52;c;x\u{7}"), "\\u{1b}[31mred\\u{1b}]52;c;x\\u{7}");
        assert_eq!(visible("a\rb\nc\td"), "a\\rb\\nc    d");
        assert_eq!(visible("abc\u{202e}txt.exe"), "abc\\u{202e}txt.exe");
        assert_eq!(visible("\u{9b}2J"), "\\u{9b}2J");
    }
}
