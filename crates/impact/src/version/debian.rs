//! Debian: deb-version(7), as `dpkg --compare-versions` orders.

use std::cmp::Ordering;

/// `[epoch:]upstream[-revision]`.
#[derive(Debug, Clone)]
pub(super) struct DebianVersion {
    epoch: u32,
    upstream: String,
    /// Empty when there is none: dpkg orders a missing revision as it orders `0`.
    revision: String,
}

impl DebianVersion {
    /// Reads a version; refuses what dpkg calls an error, not what it only warns of (an upstream
    /// version that does not start with a digit).
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (read_epoch(epoch)?, rest),
            None => (0, text),
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((_, "")) => return Err("its revision is empty".to_owned()),
            Some(parts) => parts,
            None => (rest, ""),
        };
        if upstream.is_empty() {
            return Err("its upstream version is empty".to_owned());
        }
        all_of(upstream, ".-+~:", "upstream version")?;
        all_of(revision, ".+~", "revision")?;
        Ok(Self {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

fn read_epoch(text: &str) -> Result<u32, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its epoch is not a number".to_owned());
    }
    // dpkg keeps the epoch in a C int.
    match text.parse::<i32>() {
        Ok(epoch) => Ok(epoch.unsigned_abs()),
        Err(_) => Err("its epoch is too big".to_owned()),
    }
}

fn all_of(text: &str, signs: &str, part: &str) -> Result<(), String> {
    match text
        .chars()
        .find(|&c| !c.is_ascii_alphanumeric() && !signs.contains(c))
    {
        Some(c) => Err(format!("its {part} has a {c:?}")),
        None => Ok(()),
    }
}

impl Ord for DebianVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(&self.upstream, &other.upstream))
            .then_with(|| compare_part(&self.revision, &other.revision))
    }
}

impl PartialOrd for DebianVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DebianVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for DebianVersion {}

/// Compares runs of non-digits and runs of digits in turn, as long as either side has any.
fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !left.is_empty() || !right.is_empty() {
        let (left_word, right_word) = (
            take(&mut left, |b| !b.is_ascii_digit()),
            take(&mut right, |b| !b.is_ascii_digit()),
        );
        let (left_number, right_number) = (
            take(&mut left, u8::is_ascii_digit),
            take(&mut right, u8::is_ascii_digit),
        );
        let order = compare_words(left_word, right_word)
            .then_with(|| compare_numbers(left_number, right_number));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Cuts off the longest prefix whose bytes all pass.
fn take<'a>(rest: &mut &'a [u8], passes: impl Fn(&u8) -> bool) -> &'a [u8] {
    let end = rest
        .iter()
        .position(|byte| !passes(byte))
        .unwrap_or(rest.len());
    let (run, tail) = rest.split_at(end);
    *rest = tail;
    run
}

/// `~` sorts before the end of the run, the end before letters, letters before other signs.
fn compare_words(left: &[u8], right: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(byte) if byte.is_ascii_alphabetic() => (2, *byte),
        Some(byte) => (3, *byte),
    };
    (0..left.len().max(right.len()))
        .map(|at| weight(left.get(at)).cmp(&weight(right.get(at))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares digits as numbers of any length; no digits count as zero.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| {
        digits
            .iter()
            .position(|&b| b != b'0')
            .unwrap_or(digits.len())
    };
    let (left, right) = (&left[significant(left)..], &right[significant(right)..]);
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use crate::version::Scheme;
    use crate::version::check::{order, refuse};

    #[test]
    fn deb_version_7() {
        for line in [
            "1.0~rc1 < 1.0",
            "1.0~~ < 1.0~~a",
            "1.0~~a < 1.0~",
            "1.0 < 1.0a",
            "1.0a < 1.0+",
            "1.0-1 < 1.0-1+b1",
            "1.0-1~deb11u1 < 1.0-1",
            "1.0 = 1.0-0",
            "1.0 = 0:1.0-00",
            "1.09 = 1.9",
            "2.0 < 1:0.1",
            "1:2:3 > 1:2",
            "1.18446744073709551616 > 1.18446744073709551615",
            "1.1.1k-1+deb11u1 < 1.1.1n-0+deb11u3",
        ] {
            order(Scheme::Debian, line);
        }
    }

    #[test]
    fn what_dpkg_calls_an_error() {
        for text in [
            "",
            ":",
            "a:1",
            "-1:1",
            "1:",
            "-1",
            "1-",
            "1 0",
            "1_0",
            "1-1_1",
            "2147483648:1",
            "é",
        ] {
            refuse(Scheme::Debian, text);
        }
    }
}
