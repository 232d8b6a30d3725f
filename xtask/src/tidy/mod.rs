//! Rules of the house that no compiler knows.

mod acts;
mod layers;
mod length;
mod links;
mod purity;
mod sql;
mod words;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::{self, root};

/// A text file of the repository.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// Holds the whole tree against every rule.
///
/// # Errors
/// A rule is broken; every place is named.
pub(crate) fn run(metadata: &Metadata) -> Result<()> {
    let files = files()?;
    let mut broken = layers::check(metadata);
    for rule in [
        acts::check,
        purity::check,
        length::check,
        words::check,
        sql::check,
        links::check,
    ] {
        broken.extend(rule(&files));
    }
    if broken.is_empty() {
        eprintln!("{} files are tidy", files.len());
        return Ok(());
    }
    bail!("not tidy:\n  {}", broken.join("\n  "));
}

/// Every text file that is committed or would be, in the order of the paths.
fn files() -> Result<Vec<File>> {
    let root = root();
    let list = process::read(Command::new("git").current_dir(&root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
    ]))?;
    let list = String::from_utf8(list).context("a path is not UTF-8")?;
    let mut files = Vec::new();
    for path in list.split_terminator('\0') {
        // A path that was deleted but not yet committed, or a file that is not text.
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        files.push(File {
            path: path.to_owned(),
            text,
        });
    }
    files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

impl File {
    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    fn has_extension(&self, wanted: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| wanted.contains(&extension))
    }
}

/// Whether `line` has `word` and neither neighbour continues it: `tokio` is not in `tokios`.
fn has_word(line: &str, word: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(continues)
            && !line[at + word.len()..]
                .chars()
                .next()
                .is_some_and(continues)
    })
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn words_end_where_words_end() {
        assert!(has_word("use tokio::sync;", "tokio"));
        assert!(!has_word("use tokios;", "tokio"));
        assert!(!has_word("my_tokio", "tokio"));
        assert!(has_word("tokios tokio", "tokio"));
    }
}
