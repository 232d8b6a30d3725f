//! Maven: the order of Maven 3.9's `ComparableVersion`.
//!
//! Maven compares nested lists and lets a missing item equal several different ones, which makes
//! its order circular in corners (`1 < 1.sp.1 < 1-alpha < 1`). Here a version is a flat sequence
//! of tokens that ends in the "release" qualifier, and the order is the lexicographic one: the
//! same answers for the versions people publish, and a total order for all.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// A version's tokens without those that say nothing, and the closing release token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MavenVersion(Vec<Token>);

/// One token. The order of the variants is Maven's: `1-sp < 1-1 < 1.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// A word, with the number right behind it or behind a hyphen (`rc2`, `rc-2`).
    Qualifier(Qualifier, Option<Number>),
    /// A number behind a hyphen.
    Dashed(Number),
    /// A number behind a dot, or the first one.
    Dotted(Number),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier {
    Alpha,
    Beta,
    Milestone,
    ReleaseCandidate,
    Snapshot,
    Release,
    ServicePack,
    Other(String),
}

/// A number of any length, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number(String);

const END: Token = Token::Qualifier(Qualifier::Release, None);

impl MavenVersion {
    /// Reads a version; every text but the empty one is some version to Maven.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        let mut tokens = trim(tokens(&text.to_lowercase()));
        tokens.push(END);
        Ok(Self(tokens))
    }
}

/// Drops what says nothing (`0`, `final`) at the end and in front of a qualifier: `1.0-rc1` is
/// `1-rc1`, and `1.0.0` is `1`.
fn trim(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len() + 1);
    for token in tokens.into_iter().rev() {
        let before_qualifier = matches!(kept.last(), None | Some(Token::Qualifier(..)));
        if !(before_qualifier && token.says_nothing()) {
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
    let mut number: fn(Number) -> Token = Token::Dotted;
    loop {
        match rest.peek() {
            None => return tokens,
            Some('.' | '-') => tokens.push(number(Number::new(""))),
            Some(c) if c.is_ascii_digit() => tokens.push(number(take_number(&mut rest))),
            Some(_) => tokens.push(take_qualifier(&mut rest)),
        }
        match rest.next_if(|c| matches!(c, '.' | '-')) {
            Some('.') => number = Token::Dotted,
            // After a hyphen, or where letters follow digits without any sign.
            _ => number = Token::Dashed,
        }
    }
}

fn take_number(rest: &mut Peekable<Chars<'_>>) -> Number {
    Number::new(&take_while(rest, |c| c.is_ascii_digit()))
}

fn take_while(rest: &mut Peekable<Chars<'_>>, passes: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| rest.next_if(|&c| passes(c))).collect()
}

/// Takes a word and its number: the digits behind it, or behind one hyphen (`rc-1` is `rc1`).
fn take_qualifier(rest: &mut Peekable<Chars<'_>>) -> Token {
    let word = take_while(rest, |c| !c.is_ascii_digit() && c != '.' && c != '-');
    let mut ahead = rest.clone();
    ahead.next_if_eq(&'-');
    if ahead.peek().is_some_and(char::is_ascii_digit) {
        *rest = ahead;
        let number = take_number(rest);
        return Token::Qualifier(Qualifier::before_number(word), Some(number));
    }
    Token::Qualifier(Qualifier::new(word), None)
}

impl Token {
    fn says_nothing(&self) -> bool {
        match self {
            Self::Qualifier(..) => *self == END,
            Self::Dashed(number) | Self::Dotted(number) => number.0.is_empty(),
        }
    }
}

impl Qualifier {
    /// `word` is in lower case.
    fn new(word: String) -> Self {
        match word.as_str() {
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "milestone" => Self::Milestone,
            "rc" | "cr" => Self::ReleaseCandidate,
            "snapshot" => Self::Snapshot,
            "ga" | "final" | "release" => Self::Release,
            "sp" => Self::ServicePack,
            _ => Self::Other(word),
        }
    }

    /// In front of a number one letter is enough: `a1` is `alpha1`.
    fn before_number(word: String) -> Self {
        match word.as_str() {
            "a" => Self::Alpha,
            "b" => Self::Beta,
            "m" => Self::Milestone,
            _ => Self::new(word),
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
