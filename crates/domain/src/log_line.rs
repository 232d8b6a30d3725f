//! Lines of foreign text, made fit to be stored and shown: nothing in them can act on a terminal, a log
//! reader or the eye of whoever reads them.

use std::fmt::Write as _;

use crate::defaults::LOG_LINE_MAX_BYTES;

/// Escapes control and direction characters (`\n`, `\t`, else `\u{…}`) and cuts the line to 8 KiB. Says
/// whether it was cut.
pub fn clean(text: &str) -> (String, bool) {
    let mut line = String::with_capacity(text.len().min(LOG_LINE_MAX_BYTES));
    let mut escape = String::new();
    for character in text.trim_end_matches(['\n', '\r']).chars() {
        escape.clear();
        match character {
            '\n' => escape.push_str("\\n"),
            '\r' => escape.push_str("\\r"),
            '\t' => escape.push_str("\\t"),
            acting if acting.is_control() || turns(acting) => {
                let _ = write!(escape, "\\u{{{:x}}}", u32::from(acting));
            }
            plain => escape.push(plain),
        }
        if line.len() + escape.len() > LOG_LINE_MAX_BYTES {
            return (line, true);
        }
        line.push_str(&escape);
    }
    (line, false)
}

/// Whether a character turns the direction of what follows (Unicode bidirectional controls), or ends a
/// line without being a control character.
const fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: &str, cut: bool) {
        assert_eq!(clean(text), (line.to_owned(), cut));
    }

    #[test]
    fn what_acts_is_escaped() {
        check("plain ünïcode 漢字", "plain ünïcode 漢字", false);
        check("one\ntwo\tthree\r\n", "one\\ntwo\\tthree", false);
        check("\u{1b}[31mred", "\\u{1b}[31mred", false);
        check("abc\u{202e}fdp.exe", "abc\\u{202e}fdp.exe", false);
        check("\u{9b}31m", "\\u{9b}31m", false);
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        let long = "ü".repeat(LOG_LINE_MAX_BYTES / 2);
        check(&long, &long, false);
        check(&format!("{long}x"), &long, true);
        let odd = format!("x{long}");
        let (line, cut) = clean(&odd);
        assert!(cut && line.len() == LOG_LINE_MAX_BYTES - 1);
    }
}
