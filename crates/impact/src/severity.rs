//! How bad a flaw is.

use std::fmt;
use std::str::FromStr;

use cvss::Cvss;
use serde::{Deserialize, Serialize};

/// A CVSS vector as an advisory carries it (`CVSS_V3`, `CVSS:3.1/AV:N/…`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeverityVector {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`.
    pub kind: String,
    /// The vector.
    pub score: String,
}

/// Severity in five steps, ordered from least to most.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody said.
    #[default]
    Unknown,
    /// A score above 0.
    Low,
    /// 4.0 and more.
    Medium,
    /// 7.0 and more.
    High,
    /// 9.0 and more.
    Critical,
}

impl Severity {
    /// Every step, from least to most.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The severity of an advisory: its highest CVSS v3 base score; else its highest CVSS v4 score;
    /// else what the database says, in a word (`MODERATE`) or as a score (`7.5`).
    ///
    /// `vectors` are those of the record and of its affected packages together.
    pub fn of<'a>(
        vectors: impl IntoIterator<Item = &'a SeverityVector>,
        database: Option<&str>,
    ) -> Self {
        match highest_score_tenths(vectors) {
            Some(tenths) => Self::from_score_tenths(tenths),
            None => database.map_or(Self::Unknown, |word| {
                let by_score = || score_tenths(word.trim()).map(Self::from_score_tenths);
                word.parse().ok().or_else(by_score).unwrap_or_default()
            }),
        }
    }

    /// The step of a CVSS score, in tenths: 75 is 7.5. A score of 0 says as much as none.
    pub const fn from_score_tenths(tenths: u16) -> Self {
        match tenths {
            0 => Self::Unknown,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            90.. => Self::Critical,
        }
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is not a [`Severity`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of unknown, low, medium, high, critical")]
pub struct SeverityError(pub String);

impl FromStr for Severity {
    type Err = SeverityError;

    /// In any case of letters; GitHub's `moderate` and Red Hat's `important` are understood.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "unknown" => Ok(Self::Unknown),
            "low" => Ok(Self::Low),
            "medium" | "moderate" => Ok(Self::Medium),
            "high" | "important" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(SeverityError(text.to_owned())),
        }
    }
}

/// The highest CVSS v3 base score, else the highest CVSS v4 score, in tenths. Which version a vector
/// has is read from the vector itself; CVSS v2 and vectors that cannot be read do not count.
pub fn highest_score_tenths<'a>(
    vectors: impl IntoIterator<Item = &'a SeverityVector>,
) -> Option<u16> {
    let scores = vectors
        .into_iter()
        .filter_map(|vector| read_score(&vector.score));
    let (v3, v4) = scores.fold((None, None), |(v3, v4), score| match score {
        Score::V3(tenths) => (v3.max(Some(tenths)), v4),
        Score::V4(tenths) => (v3, v4.max(Some(tenths))),
    });
    v3.or(v4)
}

enum Score {
    V3(u16),
    V4(u16),
}

fn read_score(vector: &str) -> Option<Score> {
    // The crate computes in floats; one printed decimal is exactly what CVSS defines.
    match vector.trim().parse::<Cvss>().ok()? {
        Cvss::CvssV30(v3) | Cvss::CvssV31(v3) => {
            let base = &v3;
            let complete = base.av.is_some()
                && base.ac.is_some()
                && base.pr.is_some()
                && base.ui.is_some()
                && base.s.is_some()
                && base.c.is_some()
                && base.i.is_some()
                && base.a.is_some();
            let score = complete.then(|| format!("{:.1}", base.base_score().value()))?;
            score_tenths(&score).map(Score::V3)
        }
        Cvss::CvssV40(v4) => score_tenths(&format!("{:.1}", v4.score().value())).map(Score::V4),
        _ => None,
    }
}

/// Reads `7.5`, `10` or `0.0`: a score from 0 to 10 with at most one decimal that counts.
fn score_tenths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let tenth = u16::from(decimals.as_bytes()[0] - b'0');
    let tenths = whole
        .parse::<u16>()
        .ok()?
        .checked_mul(10)?
        .checked_add(tenth)?;
    (tenths <= 100).then_some(tenths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3_98: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const V3_61: &str = "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N";
    const V3_00: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N";
    const V4_93: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    const V2_100: &str = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
    const INCOMPLETE: &str = "CVSS:3.1/AV:N/AC:L";

    fn check(vectors: &[&str], database: Option<&str>, score: Option<u16>, wanted: Severity) {
        let vectors: Vec<_> = vectors
            .iter()
            .map(|&score| SeverityVector {
                kind: "CVSS_V3".to_owned(),
                score: score.to_owned(),
            })
            .collect();
        assert_eq!(highest_score_tenths(&vectors), score, "{vectors:?}");
        assert_eq!(
            Severity::of(&vectors, database),
            wanted,
            "{vectors:?} {database:?}"
        );
    }

    #[test]
    fn vectors_before_words() {
        use Severity::{Critical, High, Low, Medium, Unknown};
        check(&[V3_98], Some("low"), Some(98), Critical);
        check(&[V3_61, V3_98], None, Some(98), Critical);
        check(&[V4_93, V3_61], None, Some(61), Medium);
        check(&[V4_93], None, Some(93), Critical);
        check(&[V3_00], Some("high"), Some(0), Unknown);
        check(&[V2_100], None, None, Unknown);
        check(
            &[INCOMPLETE, "CVSS:9.9/AV:N", "", "7.5"],
            Some("HIGH"),
            None,
            High,
        );
        check(&[], Some("moderate"), None, Medium);
        check(&[], Some("Low"), None, Low);
        check(&[], Some("7.5"), None, High);
        check(&[], Some(" 10 "), None, Critical);
        check(&[], Some("11"), None, Unknown);
        check(&[], Some("whatever"), None, Unknown);
        check(&[], None, None, Unknown);
    }

    #[test]
    fn steps_begin_where_cvss_says() {
        use Severity::{Critical, High, Low, Medium, Unknown};
        let steps = [0, 1, 39, 40, 69, 70, 89, 90, 100].map(Severity::from_score_tenths);
        assert_eq!(
            steps,
            [
                Unknown, Low, Low, Medium, Medium, High, High, Critical, Critical
            ]
        );
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
    }
}
