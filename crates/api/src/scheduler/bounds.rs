//! Bounds that no document format has, but a service needs: how many records, how long a name.

use jobengine_impact::advisory::Advisory;
use jobengine_impact::document::{DocumentCode, DocumentError};
use jobengine_impact::group::group_of;

/// Most records of one upload. The shortest real ones have some hundred bytes.
const RECORDS_MAX: usize = 200_000;
/// Longest package key, in bytes: it stands in index rows, which hold 2,704 bytes.
pub(super) const PACKAGE_MAX_BYTES: usize = 1_000;
/// Longest id or alias of an advisory, in bytes.
const ADVISORY_NAME_MAX_BYTES: usize = 300;
/// Longest name of a flaw (all CVE ids a record answers, joined), in bytes: it stands in an index row too.
const GROUP_MAX_BYTES: usize = 2_600;

/// Refuses a file of more records than are taken at once. Counted before anything is built from it,
/// because a megabyte holds half a million empty records.
///
/// # Errors
/// [`DocumentCode::TooLarge`].
pub(super) fn records_within(bytes: &[u8]) -> Result<(), DocumentError> {
    let more = if bytes.trim_ascii_start().first() == Some(&b'[') {
        elements(bytes) > RECORDS_MAX
    } else {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let mut filled = lines.by_ref().filter(|line| !line.is_empty());
        let opens = |line: Option<&[u8]>| line.is_some_and(|line| line.starts_with(b"{"));
        // A single record over many lines never has two that open an object at its start.
        opens(filled.next()) && opens(filled.next()) && filled.count() + 2 > RECORDS_MAX
    };
    if more {
        return Err(DocumentError::new(
            DocumentCode::TooLarge,
            "the upload",
            format_args!(
                "more than {RECORDS_MAX} records; send them in several parts, with mode=delta"
            ),
        ));
    }
    Ok(())
}

/// How many elements a JSON array has, as far as brackets and commas tell.
fn elements(bytes: &[u8]) -> usize {
    let (mut depth, mut commas) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in bytes {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',') => commas += usize::from(depth == 1),
            (true | false, _) => {}
        }
    }
    commas + 1
}

/// Refuses an advisory with a name that PostgreSQL could not keep in an index.
///
/// # Errors
/// [`DocumentCode::AdvisoryFieldInvalid`].
pub(super) fn advisory_kept(advisory: Advisory) -> Result<Advisory, DocumentError> {
    let id: String = advisory.id.chars().take(80).collect();
    let refuse = |field: &str, detail: String| {
        Err(DocumentError::new(
            DocumentCode::AdvisoryFieldInvalid,
            format_args!("{id}: {field}"),
            detail,
        ))
    };
    let names = std::iter::once(("id", &advisory.id))
        .chain(advisory.aliases.iter().map(|name| ("aliases", name)))
        .chain(advisory.upstream.iter().map(|name| ("upstream", name)));
    for (field, name) in names {
        if name.len() > ADVISORY_NAME_MAX_BYTES || name.chars().any(char::is_control) {
            let detail = format!("not a printable name of at most {ADVISORY_NAME_MAX_BYTES} bytes");
            return refuse(field, detail);
        }
    }
    if group_of(&advisory).len() > GROUP_MAX_BYTES {
        let detail =
            format!("the CVE ids of the record have more than {GROUP_MAX_BYTES} bytes together");
        return refuse("upstream", detail);
    }
    let too_long = |key: String| key.len() > PACKAGE_MAX_BYTES;
    if advisory
        .affected
        .iter()
        .any(|entry| too_long(entry.package.to_string()))
    {
        let detail = format!("the name of a package has more than {PACKAGE_MAX_BYTES} bytes");
        return refuse("affected", detail);
    }
    Ok(advisory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobengine_impact::advisory::osv;

    fn within(bytes: &str) -> bool {
        records_within(bytes.as_bytes()).is_ok()
    }

    #[test]
    fn records_are_counted_before_they_are_read() {
        assert!(within(""));
        assert!(within(&"{}\n".repeat(RECORDS_MAX)));
        assert!(!within(&"{}\n".repeat(RECORDS_MAX + 1)));
        assert!(within(&format!(
            "{{\n{}}}",
            "\"a\": 1,\n".repeat(RECORDS_MAX + 1)
        )));
        assert!(within(&format!(" [{}1]", "1,".repeat(RECORDS_MAX - 1))));
        assert!(!within(&format!(" [{}1]", "{},".repeat(RECORDS_MAX))));
        assert!(within(&format!(
            "[{{\"a\":[{}1]}}]",
            "1,".repeat(RECORDS_MAX)
        )));
        assert!(within(&format!("[\"{}\"]", "\\\",".repeat(RECORDS_MAX))));
    }

    #[test]
    fn names_are_bounded() {
        let check = |record: String, place: Option<&str>| {
            let advisory = osv::read(record.as_bytes()).expect("a good record");
            let refused = advisory_kept(advisory).err();
            assert_eq!(refused.as_ref().map(|error| error.place.as_str()), place);
        };
        let long = "é".repeat(151);
        check(format!(r#"{{"id":"{}"}}"#, "é".repeat(150)), None);
        check(
            format!(r#"{{"id":"{long}"}}"#),
            Some(format!("{}: id", "é".repeat(80)).as_str()),
        );
        check(r#"{"id":"A\n"}"#.to_owned(), Some("A : id"));
        check(
            format!(r#"{{"id":"A","aliases":["{long}"]}}"#),
            Some("A: aliases"),
        );
        let cves: Vec<String> = (1_000..1_200)
            .map(|n| format!("\"CVE-2024-{n}\""))
            .collect();
        check(
            format!(r#"{{"id":"A","upstream":[{}]}}"#, cves.join(",")),
            Some("A: upstream"),
        );
        let name = "x".repeat(1_000);
        let entry =
            format!(r#"{{"package":{{"ecosystem":"npm","name":"{name}"}},"versions":["1"]}}"#);
        check(
            format!(r#"{{"id":"A","affected":[{entry}]}}"#),
            Some("A: affected"),
        );
    }
}
