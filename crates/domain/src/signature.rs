//! What failures have in common: a failure's text with its variables masked.

/// Longest signature, in characters.
pub const SIGNATURE_MAX: usize = 200;
/// Characters of the text that are looked at.
const READ_MAX: usize = 4_096;

/// Masks what differs from one failure to the next: addresses, paths, ids, quoted texts, numbers. Two
/// failures of one cause have the same signature; so it is bounded, on one line, and the same on every
/// machine.
pub fn signature(text: &str) -> String {
    let text: String = text.chars().take(READ_MAX).collect();
    let mut out = String::new();
    for word in unquoted(&text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        mask(word, &mut out);
        if out.len() >= SIGNATURE_MAX * 4 {
            break;
        }
    }
    out.chars().take(SIGNATURE_MAX).collect()
}

/// The text with each quoted part, such as a name or a value, replaced by `<text>`. A quote that is never
/// closed, or an apostrophe within a word, is a character like any other.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let quote = &rest[at..=at];
        let opens = !rest[..at].ends_with(char::is_alphanumeric);
        let close = rest[at + 1..].find(quote).filter(|_| opens);
        out.push_str(&rest[..at]);
        if let Some(length) = close {
            out.push_str("<text>");
            rest = &rest[at + 1 + length + 1..];
        } else {
            out.push_str(quote);
            rest = &rest[at + 1..];
        }
    }
    out.push_str(rest);
    out
}

/// Masks one word: whole when it is an address or a path, else the variable parts of it.
fn mask(word: &str, out: &mut String) {
    let core = word.trim_matches(|sign: char| "()[]{},;.:".contains(sign));
    let whole = if core.contains("://") {
        Some("<url>")
    } else if core.starts_with('/') && core.len() > 1 || core.get(1..3) == Some(":\\") {
        Some("<path>")
    } else {
        None
    };
    if let Some(name) = whole {
        let at = word.find(core).unwrap_or(0);
        out.push_str(&word[..at]);
        out.push_str(name);
        out.push_str(&word[at + core.len()..]);
        return;
    }
    let (mut masked, mut part) = (String::new(), String::new());
    for sign in word.chars() {
        // A hyphen belongs to an id, so that a UUID is one variable and not five.
        if sign.is_alphanumeric() || sign == '-' || sign == '_' {
            part.push(sign);
        } else {
            masked.push_str(variable(&part).unwrap_or(&part));
            part.clear();
            masked.push(sign);
        }
    }
    masked.push_str(variable(&part).unwrap_or(&part));
    // `10.0.0.7:5432` and `0.25` are one variable each.
    for joined in ["<n>.<n>", "<n>:<n>"] {
        while masked.contains(joined) {
            masked = masked.replace(joined, "<n>");
        }
    }
    out.push_str(&masked);
}

/// What a part of a word is, unless it is a word itself.
fn variable(part: &str) -> Option<&'static str> {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let hexadecimal = |sign: char| sign.is_ascii_hexdigit() || sign == '-';
    if part.len() >= 8
        && part.chars().all(hexadecimal)
        && part.contains(|sign: char| !sign.is_ascii_digit())
    {
        return Some("<id>");
    }
    let unit = part.trim_start_matches(|sign: char| sign.is_ascii_digit() || "+-_".contains(sign));
    if unit.len() < part.len()
        && unit.chars().count() <= 3
        && !unit.contains(|sign: char| sign.is_ascii_digit())
    {
        return Some("<n>");
    }
    // A long mixture is an id; a short one, such as `utf8` or `http2`, is a word.
    (part.len() >= 16).then_some("<id>")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(signature(text), expected, "{text}");
    }

    #[test]
    fn variables_are_masked_and_words_are_kept() {
        check("", "");
        check("connection refused", "connection refused");
        check(
            "timed out after 30s (attempt 3)",
            "timed out after <n> (attempt <n>)",
        );
        check("read 10.0.0.7:5432: reset", "read <n>: reset");
        check(
            "GET https://feeds.example/v1/osv?page=7: 503",
            "GET <url>: <n>",
        );
        check(
            "cannot open /var/lib/x/12.json: no such file",
            "cannot open <path>: no such file",
        );
        check(
            "job 0198c5a2-7e1f-7c33-9d2a-1f0c5b7d9e11 gave up",
            "job <id> gave up",
        );
        check("digest deadbeef12345678 differs", "digest <id> differs");
        check(
            "field 'purl' of \"left pad\" is missing",
            "field <text> of <text> is missing",
        );
        check("it isn't utf8, don't retry", "it isn't utf8, don't retry");
        check("http2 stream 17\nwas  reset", "http2 stream <n> was reset");
        check("took 0.25 ms", "took <n> ms");
    }

    #[test]
    fn one_cause_has_one_signature() {
        let of = |job: u32, host: u32| {
            signature(&format!(
                "fetch 'feed-{job}' from 10.0.0.{host}:443 took {job}ms"
            ))
        };
        assert_eq!(of(7, 1), of(1_234, 250));
    }

    proptest! {
        #[test]
        fn any_text_has_a_bounded_signature_on_one_line(text in ".{0,600}") {
            let found = signature(&text);
            prop_assert!(found.chars().count() <= SIGNATURE_MAX);
            prop_assert!(!found.contains('\n'));
        }
    }
}
