//! Work that is not finished is not committed.

use super::{File, has_word};

// Put together here so that this file does not name what it forbids.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("un", "implemented!"),
    concat!("db", "g!"),
];

const JUDGED: [&str; 11] = [
    "rs", "sql", "md", "toml", "sh", "py", "go", "cs", "ts", "tsx", "yaml",
];

/// Every line that says that something is left.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&JUDGED)) {
        for (number, line) in file.lines() {
            for word in UNFINISHED.into_iter().filter(|word| has_word(line, word)) {
                broken.push(format!("{}:{number}: `{word}`", file.path));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn unfinished_work_is_found() {
        let line = format!("// {}: later\n", UNFINISHED[0]);
        assert_eq!(check(&[file("a.rs", &line)]).len(), 1);
        assert_eq!(
            check(&[file("a.rs", &format!("{}()\n", UNFINISHED[3]))]).len(),
            1
        );
        assert!(check(&[file("a.rs", "// done\n")]).is_empty());
    }
}
