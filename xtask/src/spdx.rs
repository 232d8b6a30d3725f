//! SPDX licence expressions: may we use a package under what we allow?

use std::collections::BTreeSet;

/// Whether an expression can be fulfilled with allowed licences only: one side of an `OR`,
/// both sides of an `AND`. `WITH` makes a licence of its own name. `/` is the old `OR`.
///
/// # Errors
/// The expression cannot be read; the text says where.
pub(crate) fn permits(expression: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = any(&mut words, allowed)?;
    words
        .next()
        .map_or(Ok(verdict), |word| Err(format!("unexpected `{word}`")))
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let mut verdict = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        // Not short-circuited: the rest must be read all the same.
        verdict |= all(words, allowed)?;
    }
    Ok(verdict)
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let mut verdict = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words, allowed)?;
    }
    Ok(verdict)
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
    match words.next() {
        Some("(") => {
            let verdict = any(words, allowed)?;
            words.next_if_eq(&")").ok_or("a `)` is missing")?;
            Ok(verdict)
        }
        None | Some(")" | "OR" | "AND" | "WITH") => Err("a licence is missing".to_owned()),
        Some(licence) => {
            if words.next_if_eq(&"WITH").is_none() {
                return Ok(allowed.contains(licence));
            }
            let exception = words.next().ok_or("an exception is missing after `WITH`")?;
            Ok(allowed.contains(&format!("{licence} WITH {exception}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, expected: Result<bool, &str>) {
        let allowed = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).into();
        assert_eq!(
            permits(expression, &allowed),
            expected.map_err(str::to_owned),
            "{expression}"
        );
    }

    #[test]
    fn expressions_are_judged_as_written() {
        check("MIT", Ok(true));
        check("MPL-2.0", Ok(false));
        check("GPL-3.0-only OR MIT", Ok(true));
        check("GPL-3.0-only AND MIT", Ok(false));
        check("ISC AND (Apache-2.0 OR MPL-2.0)", Ok(true));
        check("MPL-2.0 OR ISC AND GPL-3.0-only", Ok(false));
        check("Unlicense/MIT", Ok(true));
        check("Apache-2.0 WITH LLVM-exception", Ok(false));
        check("Apache-2.0 WITH LLVM-exception OR Apache-2.0", Ok(true));
        check("(MIT", Err("a `)` is missing"));
        check("MIT ISC", Err("unexpected `ISC`"));
        check("MIT OR", Err("a licence is missing"));
        check("", Err("a licence is missing"));
    }
}
