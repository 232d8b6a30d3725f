//! Finds the PostgreSQL server that the system has installed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::EmbeddedError;

/// The oldest major version the SQL of this crate runs on.
pub const OLDEST_MAJOR: u32 = 15;

/// Folders with one subfolder a version, and where the programs lie in it: Debian, Red Hat, Alpine, Homebrew
/// (Apple silicon and Intel).
const VERSIONED: [(&str, &str, &str); 5] = [
    ("usr/lib/postgresql", "", "bin"),
    ("usr", "pgsql-", "bin"),
    ("usr/libexec", "postgresql", ""),
    ("opt/homebrew/opt", "postgresql@", "bin"),
    ("usr/local/opt", "postgresql@", "bin"),
];

/// A server version; the order is the order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Data of one major version cannot be read by another.
    pub major: u32,
    /// The bug-fix release; 0 for a development version.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// An installed server: a folder with at least `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub dir: PathBuf,
    /// What `postgres --version` says.
    pub version: Version,
}

impl Binaries {
    /// The server in one folder, whatever its version.
    fn probe(dir: &Path) -> Result<Self, String> {
        for program in ["postgres", "initdb"] {
            if !dir.join(program).is_file() {
                return Err(format!("there is no `{program}` in it"));
            }
        }
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("`postgres --version` does not run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = parse_version(&text)
            .ok_or_else(|| format!("`postgres --version` says no version but `{}`", text.trim()))?;
        Ok(Self {
            dir: dir.to_owned(),
            version,
        })
    }

    /// The server in the folder a person named.
    ///
    /// # Errors
    /// [`EmbeddedError::BinariesUnusable`] when a program is missing, does not run, or is older than
    /// [`OLDEST_MAJOR`].
    pub fn at(dir: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |reason| EmbeddedError::BinariesUnusable {
            dir: dir.to_owned(),
            reason,
        };
        let found = Self::probe(dir).map_err(unusable)?;
        if found.version.major < OLDEST_MAJOR {
            return Err(unusable(format!("its version is {}", found.version)));
        }
        Ok(found)
    }

    /// Every usable server on this machine, newest first. Runs `postgres --version` once for each.
    pub fn installed() -> Vec<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut found: Vec<Self> = candidates(Path::new("/"), &path, pg_config().as_deref())
            .iter()
            .filter_map(|dir| Self::at(dir).ok())
            .collect();
        // A stable sort: of two equal versions the one in the system's own folder stays first.
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.version));
        found
    }

    /// One program of this server.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The server to run: of the major version that wrote the data if there is data, else the newest.
pub(super) fn choose(
    mut installed: Vec<Binaries>,
    data_dir: &Path,
    data_major: Option<&str>,
) -> Result<Binaries, EmbeddedError> {
    let Some(found) = data_major else {
        return installed
            .into_iter()
            .next()
            .ok_or(EmbeddedError::NotInstalled);
    };
    let fits = |binaries: &Binaries| binaries.version.major.to_string() == found;
    if let Some(index) = installed.iter().position(fits) {
        return Ok(installed.swap_remove(index));
    }
    if installed.is_empty() {
        return Err(EmbeddedError::NotInstalled);
    }
    Err(EmbeddedError::OtherMajor {
        data_dir: data_dir.to_owned(),
        found: found.to_owned(),
        installed: EmbeddedError::versions(installed.iter().map(|binaries| &binaries.version)),
    })
}

/// Folders under `root`, on `path` and named by `pg_config` that hold a `postgres`, each server once.
fn candidates(root: &Path, path: &OsStr, pg_config: Option<&Path>) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for (parent, prefix, bin) in VERSIONED {
        let Ok(entries) = std::fs::read_dir(root.join(parent)) else {
            continue;
        };
        let named = entries.flatten().filter(|entry| {
            let name = entry.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix(prefix));
            digits.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        });
        dirs.extend(named.map(|entry| entry.path().join(bin)));
    }
    dirs.extend(pg_config.map(Path::to_owned));
    dirs.extend(std::env::split_paths(path).filter(|dir| dir.is_absolute()));
    // Distributions link one server into several folders.
    let mut seen = BTreeSet::new();
    dirs.retain(|dir| {
        std::fs::canonicalize(dir.join("postgres")).is_ok_and(|real| seen.insert(real))
    });
    dirs
}

/// Where `pg_config` on the PATH says the programs are.
fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config")
        .arg("--bindir")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dir = text.trim();
    dir.starts_with('/').then(|| PathBuf::from(dir))
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, also `18beta1` and `17devel`.
fn parse_version(text: &str) -> Option<Version> {
    let word = text.strip_prefix("postgres (PostgreSQL) ")?;
    let number = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        text[..end].parse::<u32>().ok()
    };
    let major = number(word)?;
    let minor = word
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix('.')
        .and_then(number)
        .unwrap_or(0);
    Some(Version { major, minor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn check_version(text: &str, expected: Option<(u32, u32)>) {
        let expected = expected.map(|(major, minor)| Version { major, minor });
        assert_eq!(parse_version(text), expected, "{text}");
    }

    #[test]
    fn versions_are_read_as_postgres_prints_them() {
        check_version(
            "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
            Some((15, 18)),
        );
        check_version("postgres (PostgreSQL) 18.4\n", Some((18, 4)));
        check_version("postgres (PostgreSQL) 18beta1\n", Some((18, 0)));
        check_version("postgres (PostgreSQL) 17devel\n", Some((17, 0)));
        check_version("postgres (EnterpriseDB) 15.1\n", None);
        check_version("", None);
    }

    /// A folder whose `postgres` prints a version and does nothing else.
    fn install(dir: &Path, version: &str) {
        std::fs::create_dir_all(dir).unwrap();
        for program in ["postgres", "initdb"] {
            let file = dir.join(program);
            std::fs::write(
                &file,
                format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"),
            )
            .unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn each_distributions_folders_are_searched_and_links_counted_once() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for (dir, version) in [
            ("usr/lib/postgresql/15/bin", "15.18"),
            ("usr/pgsql-17/bin", "17.2"),
            ("usr/libexec/postgresql16", "16.4"),
            ("opt/homebrew/opt/postgresql@18/bin", "18.4"),
            ("opt/odd/bin", "19.1"),
        ] {
            install(&at(dir), version);
        }
        std::fs::create_dir_all(at("usr/lib/postgresql/common/bin")).unwrap();
        std::fs::create_dir_all(at("usr/bin")).unwrap();
        std::os::unix::fs::symlink(at("usr/pgsql-17/bin/postgres"), at("usr/bin/postgres"))
            .unwrap();
        let path = std::env::join_paths([at("usr/bin"), at("opt/odd/bin")]).unwrap();

        let found = candidates(root.path(), &path, Some(&at("usr/pgsql-17/bin")));

        let expected: Vec<PathBuf> = [
            "usr/lib/postgresql/15/bin",
            "usr/pgsql-17/bin",
            "usr/libexec/postgresql16",
            "opt/homebrew/opt/postgresql@18/bin",
            "opt/odd/bin",
        ]
        .map(at)
        .into();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for dir in expected {
            assert!(
                found
                    .iter()
                    .any(|one| one.components().eq(dir.components())),
                "{} is not in {found:?}",
                dir.display()
            );
        }
    }

    #[test]
    fn a_named_folder_must_hold_a_recent_server() {
        let root = tempfile::tempdir().unwrap();
        install(&root.path().join("old"), "14.9");
        let message = |name: &str| {
            Binaries::at(&root.path().join(name))
                .unwrap_err()
                .to_string()
        };
        assert!(message("old").contains("its version is 14.9"));
        assert!(message("none").contains("no `postgres` in it"));
    }

    fn server(major: u32) -> Binaries {
        Binaries {
            dir: PathBuf::from("/x"),
            version: Version { major, minor: 1 },
        }
    }

    #[test]
    fn data_decides_the_version_and_the_newest_serves_new_data() {
        let pick = |data: Option<&str>| {
            choose(vec![server(17), server(15)], Path::new("/data"), data)
                .map(|one| one.version.major)
        };
        assert_eq!(pick(None).unwrap(), 17);
        assert_eq!(pick(Some("15")).unwrap(), 15);
        let refused = pick(Some("16")).unwrap_err().to_string();
        assert!(
            refused.contains("written by PostgreSQL 16, and only 17.1, 15.1 is installed"),
            "{refused}"
        );
        assert!(
            refused.contains("postgresql-16") && refused.contains("pg_dumpall"),
            "{refused}"
        );
    }

    #[test]
    fn without_any_server_the_packages_are_named() {
        let text = choose(Vec::new(), Path::new("/data"), None)
            .unwrap_err()
            .to_string();
        for name in [
            "apt-get install postgresql",
            "dnf install postgresql-server",
            "apk add",
            "brew install",
        ] {
            assert!(text.contains(name), "{text}");
        }
    }
}
