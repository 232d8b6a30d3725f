//! Maven: the order of its `ComparableVersion`.
//!
//! Maven compares nested lists and lets a missing item equal several different ones, which makes
//! its order circular in corners (`1 < 1.sp.1 < 1-alpha < 1`). Here a version is a flat sequence
//! of tokens closed by the "release" token, and the order is the lexicographic one: the same
//! answers for the versions people publish, and a total order for all.
//!
//! Between `1.rc5` and `1-rc1` this is the order OSV's fixtures record, where the dot comes first;
//! Maven changed its mind on that in 3.9.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// A version's tokens without those that say nothing, and the closing [`Token::Release`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MavenVersion(Vec<Token>);

/// One token. The order of the variants is Maven's: `1-rc < 1 < 1-sp < 1-1 < 1.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// A qualifier that comes before the release.
    Before(Glue, Before),
    /// `final`, `ga`, `release` and the end of the version.
    Release,
    /// A qualifier that comes after the release.
    After(Glue, After),
    /// A number behind a hyphen or letters.
    Dashed(Number),
    /// A number behind a dot, or the first one.
    Dotted(Number),
}

/// What stands before a token; a change between digits and letters counts as a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Glue {
    Dot,
    Hyphen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Alpha,
    Beta,
    Milestone,
    ReleaseCandidate,
    Snapshot,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum After {
    ServicePack,
    Other(String),
}

/// A number of any length, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number(String);

impl MavenVersion {
    /// Reads a version; every text but the empty one is some version to Maven.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        let mut tokens = trim(tokens(&text.to_lowercase()));
        tokens.push(Token::Release);
        Ok(Self(tokens))
    }
}

/// Drops what says nothing (`0`, `final`) at the end, in front of a hyphen and of a qualifier that
/// comes before the release: `1.0.0` is `1`, `1.0-x` is `1-x`, `1.0.rc1` is `1.rc1`. What is left is
/// in front of something above the release, so a longer version is a later one.
fn trim(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len() + 1);
    for token in tokens.into_iter().rev() {
        let counts = matches!(
            kept.last(),
            Some(Token::Dotted(_) | Token::After(Glue::Dot, _))
        );
        if counts || !token.says_nothing() {
            kept.push(token);
        }
    }
    kept.reverse();
    kept
}

/// Splits at dots, hyphens and between digits and letters. An empty part is a zero.
fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text.chars().peekable();
    let mut tokens = Vec::new();
    let mut glue = Glue::Dot;
    while let Some(&next) = rest.peek() {
        tokens.push(if next.is_ascii_digit() || is_glue(next) {
            Token::number(
                glue,
                Number::new(&take_while(&mut rest, |c| c.is_ascii_digit())),
            )
        } else {
            let word = take_while(&mut rest, |c| !c.is_ascii_digit() && !is_glue(c));
            let before_digit = rest.peek().is_some_and(char::is_ascii_digit);
            Token::word(
                glue,
                if before_digit {
                    spelled_out(word)
                } else {
                    word
                },
            )
        });
        glue = match rest.next_if(|&c| is_glue(c)) {
            Some('.') => Glue::Dot,
            _ => Glue::Hyphen,
        };
    }
    tokens
}

fn is_glue(c: char) -> bool {
    matches!(c, '.' | '-')
}

fn take_while(rest: &mut Peekable<Chars<'_>>, passes: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| rest.next_if(|&c| passes(c))).collect()
}

/// Right before a number one letter is enough: `a1` is `alpha1`.
fn spelled_out(word: String) -> String {
    match word.as_str() {
        "a" => "alpha".to_owned(),
        "b" => "beta".to_owned(),
        "m" => "milestone".to_owned(),
        _ => word,
    }
}

impl Token {
    fn number(glue: Glue, number: Number) -> Self {
        match glue {
            Glue::Dot => Self::Dotted(number),
            Glue::Hyphen => Self::Dashed(number),
        }
    }

    /// `word` is in lower case.
    fn word(glue: Glue, word: String) -> Self {
        match word.as_str() {
            "alpha" => Self::Before(glue, Before::Alpha),
            "beta" => Self::Before(glue, Before::Beta),
            "milestone" => Self::Before(glue, Before::Milestone),
            "rc" | "cr" => Self::Before(glue, Before::ReleaseCandidate),
            "snapshot" => Self::Before(glue, Before::Snapshot),
            "ga" | "final" | "release" => Self::Release,
            "sp" => Self::After(glue, After::ServicePack),
            _ => Self::After(glue, After::Other(word)),
        }
    }

    fn says_nothing(&self) -> bool {
        match self {
            Self::Release => true,
            Self::Dashed(number) | Self::Dotted(number) => number.0.is_empty(),
            Self::Before(..) | Self::After(..) => false,
        }
    }
}

impl Number {
    fn new(digits: &str) -> Self {
        Self(digits.trim_start_matches('0').to_owned())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use crate::version::Scheme;
    use crate::version::check::{order, refuse};

    #[test]
    fn numbers() {
        for line in [
            "1 < 2",
            "1.5 < 1.10",
            "1 = 1.0.0",
            "1 = 001.",
            "1.0 < 1.0-1",
            "1.0-1 < 1.0-2",
            "1.0-1 = 1-1",
            "1-1 < 1.0.1",
            "1.99999999999999999999 < 1.100000000000000000000",
        ] {
            order(Scheme::Maven, line);
        }
    }

    #[test]
    fn qualifiers() {
        for line in [
            "1-alpha < 1-beta",
            "1-beta < 1-milestone",
            "1-milestone < 1-rc",
            "1-rc < 1-SNAPSHOT",
            "1-SNAPSHOT < 1",
            "1 < 1-sp",
            "1-sp < 1-abc",
            "1-abc < 1-xyz",
            "1-xyz < 1-1",
            "1.Final = 1",
            "1-ga = 1.RELEASE",
            "1-cr2 = 1.0-rc-2",
            "1a1 = 1-alpha-1",
            "1a < 1b",
            "1m3 < 1-rc",
            "1.0-alpha-1-SNAPSHOT < 1.0-alpha-1",
            "2.5.3 < 2.5.3.SP1",
            "4.1.63.Final < 4.1.100.Final",
            "31.0-jre < 31.1-android",
            "1.rc5 < 1-rc1",
            "1.sec10 < 1_x",
            "7.0pre3 < 7.0.pre4",
            "1.0.RC7 = 1.RC7",
        ] {
            order(Scheme::Maven, line);
        }
    }

    #[test]
    fn corners_where_maven_goes_in_circles() {
        for line in [
            "1 < 1.sp.1",
            "1-alpha < 1",
            "1-alpha < 1.sp.1",
            "1-final-alpha < 1",
        ] {
            order(Scheme::Maven, line);
        }
        refuse(Scheme::Maven, "");
    }
}
