//! The second wall: what looks like a secret, or could deceive a reader, does not reach the log.

use std::fmt::Write as _;

const REDACTED: &str = "[redacted]";
/// How keys of ours begin, wherever they stand.
const KEY_PREFIXES: [&str; 2] = ["jek_", "whsec_"];
/// How credentials are named in a header; the next word is the credential.
const SCHEMES: [&str; 3] = ["bearer", "basic", "dpop"];
/// Parts of the names of fields whose values are never shown.
const SECRET_NAMES: [&str; 6] = [
    "authorization",
    "cookie",
    "password",
    "secret",
    "private_key",
    "credential",
];

/// Whether a field of this name holds a secret, whatever its value looks like.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.rsplit(['.', '_']).next() == Some("token")
        || SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// A text as it may be shown: tokens (JWT, API keys), credentials after `Authorization`, passwords in
/// URLs and PEM keys are replaced; control, bidirectional and invisible characters are written out;
/// beyond `max_bytes` it is cut off.
pub fn clean(text: &str, max_bytes: usize) -> String {
    // More than is shown, so that a secret across the edge is seen whole; not all, so that a huge text costs nothing.
    let (near, cut) = split(text, max_bytes.saturating_mul(2).saturating_add(1_024));
    let shown = escape(&words(&urls(&pem(near))));
    let (shown, more) = split(&shown, max_bytes);
    let more = more.len() + cut.len();
    if more == 0 {
        shown.to_owned()
    } else {
        format!("{shown}… ({more} bytes more)")
    }
}

/// Splits at most `at` bytes in, between characters.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at(text.floor_char_boundary(at.min(text.len())))
}

/// Replaces keys in PEM.
fn pem(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("-----BEGIN ") {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest[11..].find("-----END ").map(|end| end + 11);
        let end = end.and_then(|end| Some(end + 9 + rest[end + 9..].find("-----")? + 5));
        let block;
        // Without an end, everything up to the end may be key.
        (block, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if block.contains("KEY") || end.is_none() {
            shown.push_str(REDACTED);
        } else {
            shown.push_str(block);
        }
    }
    shown.push_str(rest);
    shown
}

/// Replaces what stands between `://` and `@` of a URL.
fn urls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = after
            .find(|letter: char| {
                letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\'')
            })
            .unwrap_or(after.len());
        rest = after;
        if let Some(user) = after[..authority].rfind('@') {
            shown.push_str(REDACTED);
            rest = &after[user..];
        }
    }
    shown.push_str(rest);
    shown
}

/// Replaces words that are tokens, and words that follow the name of a credential.
fn words(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut credential = false;
    while !rest.is_empty() {
        let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        if length == 0 {
            let gap = rest.find(is_word).unwrap_or(rest.len());
            shown.push_str(&rest[..gap]);
            rest = &rest[gap..];
            continue;
        }
        let word = &rest[..length];
        rest = &rest[length..];
        let named = SCHEMES
            .iter()
            .any(|scheme| word.eq_ignore_ascii_case(scheme));
        let header =
            word.eq_ignore_ascii_case("authorization") && rest.starts_with([':', '=', '"']);
        if named || header {
            shown.push_str(word);
            credential = true;
        } else if credential || is_token(word) {
            shown.push_str(REDACTED);
            credential = false;
        } else {
            shown.push_str(word);
        }
    }
    shown
}

/// The letters of base64, base64url, hexadecimal and compact JWS.
fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '~' | '+')
}

fn is_token(word: &str) -> bool {
    let jwt = word.contains("eyJ") && word.bytes().filter(|byte| *byte == b'.').count() >= 2;
    jwt || KEY_PREFIXES.iter().any(|prefix| word.contains(prefix))
}

/// Writes out what would move the cursor, colour the line or turn the order of reading.
fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_deceptive(letter) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(letter));
            }
            _ => shown.push(letter),
        }
    }
    shown
}

fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(clean(text, 2_048), shown);
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
        check(
            "token eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln refused",
            "token [redacted] refused",
        );
        check(
            "key jek_0123456789abcdef was used",
            "key [redacted] was used",
        );
        check("\"jek_01.23\"", "\"[redacted]\"");
        check(
            "Authorization: Bearer abc.def",
            "Authorization: Bearer [redacted]",
        );
        check(
            "authorization: Basic dXNlcjpwYXNz",
            "authorization: Basic [redacted]",
        );
        check(
            "\"authorization\":\"opaque\"",
            "\"authorization\":\"[redacted]\"",
        );
        check(
            "postgres://user:pass@host/db",
            "postgres://[redacted]@host/db",
        );
        check(
            "at https://a@b:c@host?x=1 and http://host/a@b",
            "at https://[redacted]@host?x=1 and http://host/a@b",
        );
        check(
            "a -----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY----- b",
            "a [redacted] b",
        );
        check("-----BEGIN EC PRIVATE KEY-----\nMC4C", "[redacted]");
        check(
            "-----BEGIN CERTIFICATE-----\nMC4C\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\\nMC4C\\n-----END CERTIFICATE-----",
        );
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "job 0199-a.b.c is queued again",
            "sha256:0123456789abcdef",
            "bearer",
            "an image at registry.example/a@sha256:0123",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_deceives_is_written_out() {
        check("a\u{1b}[31mred", "a\\u{1b}[31mred");
        check("a\nWARN forged", "a\\nWARN forged");
        check("evil\u{202e}txt.exe", "evil\\u{202e}txt.exe");
        check("\u{9b}x\u{0}", "\\u{9b}x\\u{0}");
    }

    #[test]
    fn what_is_long_is_cut_between_letters() {
        assert_eq!(clean("aäb", 2), "a… (3 bytes more)");
        let long = format!("{} jek_{}", "x".repeat(20), "s".repeat(4_000));
        assert!(!clean(&long, 24).contains("ss"), "{}", clean(&long, 24));
        assert!(clean(&"y".repeat(1 << 20), 100).len() < 140);
    }

    #[test]
    fn some_names_say_it_all() {
        for name in ["token", "lease_token", "Authorization", "webhook.secret"] {
            assert!(is_secret(name), "{name}");
        }
        assert!(!is_secret("tokens") && !is_secret("tenant"));
    }
}
