//! The pure crates name nothing of the outside world.

use super::{File, has_word};

const PURE: [&str; 2] = ["crates/domain/src/", "crates/impact/src/"];

const FORBIDDEN: [&str; 11] = [
    "async fn",
    "await",
    "Instant",
    "eprintln",
    "println",
    "std::env",
    "std::fs",
    "std::net",
    "SystemTime",
    "tokio",
    "tracing",
];

/// Every line of a pure crate, outside its tests and comments, that names one of them.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| is_pure(file)) {
        for (number, line) in code(file) {
            for word in FORBIDDEN.into_iter().filter(|word| has_word(line, word)) {
                broken.push(format!("{}:{number}: `{word}` in a pure crate", file.path));
            }
        }
    }
    broken
}

fn is_pure(file: &File) -> bool {
    let path = &file.path;
    file.has_extension(&["rs"])
        && !path.ends_with("tests.rs")
        && !path.contains("/tests/")
        && PURE.iter().any(|folder| path.starts_with(folder))
}

/// Lines up to the test module, without their comments.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut after_cfg_test = false;
    file.lines()
        .take_while(move |(_, line)| {
            let opens_tests = after_cfg_test && line.starts_with("mod ") && line.ends_with('{');
            after_cfg_test = line.trim() == "#[cfg(test)]";
            !opens_tests
        })
        .map(|(number, line)| (number, line.split_once("//").map_or(line, |(code, _)| code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn check_one(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)])
    }

    #[test]
    fn code_is_judged_and_tests_and_comments_are_not() {
        let path = "crates/domain/src/lease.rs";
        assert_eq!(
            check_one(path, "fn a() {}\nasync fn b() {}\n"),
            ["crates/domain/src/lease.rs:2: `async fn` in a pure crate"]
        );
        assert!(check_one(path, "// tokio would be wrong here\n").is_empty());
        assert!(check_one(path, "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n").is_empty());
        assert_eq!(
            check_one(path, "#[cfg(test)]\nmod oracle;\nuse std::fs;\n").len(),
            1
        );
        assert!(check_one("crates/store/src/lease.rs", "use tokio::sync;\n").is_empty());
        assert!(check_one("crates/impact/tests/real.rs", "use std::fs;\n").is_empty());
    }
}
