//! A file is one idea.

use super::File;

/// More lines than this, and it is two.
const LONGEST: usize = 400;

/// What a person writes. Generated and recorded files may be as long as they like.
const WRITTEN: [&str; 6] = ["rs", "sql", "py", "go", "ts", "tsx"];

/// Every file that is too long.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&WRITTEN)) {
        let lines = file.text.lines().count();
        if lines > LONGEST {
            broken.push(format!(
                "{}: {lines} lines, {LONGEST} are allowed",
                file.path
            ));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn length_is_counted_in_lines() {
        assert!(check(&[file("a.rs", &"x\n".repeat(400))]).is_empty());
        assert_eq!(
            check(&[file("a.rs", &"x\n".repeat(401))]),
            ["a.rs: 401 lines, 400 are allowed"]
        );
        assert!(check(&[file("a.json", &"x\n".repeat(401))]).is_empty());
    }
}
