//! Finding the server that the embedded database will start.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::which;

/// The oldest major version that the migrations run on.
pub(super) const OLDEST: u32 = 15;

/// A server that will do.
pub(super) struct Found {
    major: u32,
    folder: PathBuf,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL {} in {}", self.major, self.folder.display())
    }
}

/// The newest server that will do, of equals the one where packages put it rather than the one
/// in `PATH`.
pub(super) fn find() -> Option<Found> {
    let in_path = which("postgres").and_then(|program| Some(program.parent()?.to_owned()));
    // The last of equal maxima wins.
    in_path
        .into_iter()
        .chain(packaged())
        .filter(|folder| folder.join("initdb").is_file())
        .filter_map(|folder| {
            Some(Found {
                major: major(&folder)?,
                folder,
            })
        })
        .filter(|found| found.major >= OLDEST)
        .max_by_key(|found| found.major)
}

/// Folders with one subfolder a version, and where the programs lie in it: Debian, Red Hat, Alpine,
/// Homebrew (Apple silicon and Intel). The store searches the same ones.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// The folders of [`VERSIONED`] that hold a server.
fn packaged() -> impl Iterator<Item = PathBuf> {
    VERSIONED
        .into_iter()
        .flat_map(|(folder, prefix, below)| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(move |entry| entry.path().join(below))
        })
        .filter(|folder| folder.join("postgres").is_file())
}

fn major(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    parse(std::str::from_utf8(&output.stdout).ok()?)
}

/// The 15 of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(
            parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse("something else"), None);
    }
}
