//! A file is one idea.

use super::File;

/// More lines than this, and it is two.
const LONGEST: usize = 400;

/// Files that are longer for a reason, and how long each may be: one idea each, whose next part has to move out.
const LONGER: [(&str, usize); 6] = [
    ("crates/api/tests/orchestrator/events.rs", 530),
    ("crates/cli/src/node.rs", 460),
    ("crates/domain/src/event.rs", 420),
    ("crates/duties/tests/impact_flow/main.rs", 450),
    ("crates/store/src/audit.rs", 480),
    ("crates/store/src/session.rs", 450),
];

/// What a person writes. Generated and recorded files may be as long as they like.
const WRITTEN: [&str; 6] = ["rs", "sql", "py", "go", "ts", "tsx"];

/// Every file that is too long, and every exception that is no longer needed.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&WRITTEN)) {
        let lines = file.text.lines().count();
        let exception = LONGER.iter().find(|(path, _)| *path == file.path);
        let limit = exception.map_or(LONGEST, |(_, limit)| *limit);
        if lines > limit {
            broken.push(format!("{}: {lines} lines, {limit} are allowed", file.path));
        } else if exception.is_some() && lines <= LONGEST {
            broken.push(format!("{}: needs no exception any more", file.path));
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
