//! What a text has to become to be a line: one line, of limited length. Otherwise raw: it is made safe when it is shown.

use domain::limits::LOG_LINE_BYTES;

const CUT: &str = " [cut]";

/// The text as a line: cut (and saying so) if it is too long, line breaks made spaces.
pub fn clean(text: &str) -> String {
    let cut = text.len() > LOG_LINE_BYTES;
    let kept = if cut { &text[..text.floor_char_boundary(LOG_LINE_BYTES - CUT.len())] } else { text };
    let mut line = kept.replace(['\n', '\r'], " ");
    if cut {
        line.push_str(CUT);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_where_a_character_ends_and_stay_one_line() {
        assert_eq!(clean("a\r\nb"), "a  b");
        assert_eq!(clean(&"x".repeat(LOG_LINE_BYTES)).len(), LOG_LINE_BYTES);
        let line = clean(&"ü".repeat(LOG_LINE_BYTES));
        assert!(line.len() <= LOG_LINE_BYTES && line.ends_with("ü [cut]"), "{}", line.len());
    }
}
