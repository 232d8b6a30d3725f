//! Installing on Debian and Ubuntu.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::postgres;
use crate::process::{self, which};

/// Debian's PostgreSQL packages create a cluster and start it at once. Nobody asked for a server
/// on port 5432, so a drop-in of postgresql-common says no while the packages are being
/// installed, and is taken away again: the administrator's own defaults stay as they were.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/jobengine-setup.conf";

/// Whether apt installs here.
pub(super) fn is_here() -> bool {
    which("apt-get").is_some()
        && std::fs::read_to_string("/etc/os-release").is_ok_and(|text| like_debian(&text))
}

/// Whether os-release(5) names Debian or a child of it.
fn like_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|id| id == "debian" || id == "ubuntu")
}

/// Installs packages with apt, as root or through sudo.
///
/// # Errors
/// We may not, or apt fails, or it offers too old a PostgreSQL.
pub(super) fn install(packages: impl Iterator<Item = &'static str>) -> Result<()> {
    let packages: Vec<&str> = packages.collect();
    let admin = Admin::find(&packages)?;
    if packages.iter().any(|package| candidate(package).is_none()) {
        process::run(&mut admin.command(&["apt-get", "update"]))?;
    }
    if packages.contains(&"postgresql") {
        offers_new_enough()?;
    }
    eprintln!(
        "setup: installing {} (no database cluster is created)",
        packages.join(" ")
    );
    admin.write(NO_CLUSTER, "create_main_cluster = false\n")?;
    let installed = admin.apt_install(&packages).or_else(|_| {
        // The usual cause: the lists are older than the mirror.
        process::run(&mut admin.command(&["apt-get", "update"]))?;
        admin.apt_install(&packages)
    });
    let removed = process::run(&mut admin.command(&["rm", "-f", NO_CLUSTER]));
    installed.and(removed)
}

/// How to act as root.
struct Admin {
    sudo: bool,
}

impl Admin {
    fn find(packages: &[&str]) -> Result<Self> {
        let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !root && which("sudo").is_none() {
            bail!(
                "only root can install packages, and sudo is not here. Please run this as root, or\n  \
                 apt-get install --no-install-recommends {}\n\
                 (which also starts a PostgreSQL of its own on port 5432; nothing here uses that one)",
                packages.join(" ")
            );
        }
        Ok(Self { sudo: !root })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut words = words.iter();
        let program = if self.sudo {
            Some(&"sudo")
        } else {
            words.next()
        };
        let mut command = Command::new(program.unwrap_or(&"true"));
        command.args(words);
        command
    }

    fn apt_install(&self, packages: &[&str]) -> Result<()> {
        let mut command = self.command(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        process::run(
            command
                .args(["install", "--yes", "--no-install-recommends"])
                .args(packages),
        )
    }

    /// Writes a file that only root may write.
    fn write(&self, path: &str, text: &str) -> Result<()> {
        let mut install = self.command(&["install", "-D", "--mode=644", "/dev/stdin", path]);
        let mut child = install
            .stdin(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not write {path}"))?;
        child
            .stdin
            .take()
            .context("its input is piped")?
            .write_all(text.as_bytes())?;
        if !child.wait()?.success() {
            bail!("could not write {path}");
        }
        Ok(())
    }
}

/// The version apt would install.
fn candidate(package: &str) -> Option<String> {
    let output = Command::new("apt-cache")
        .args(["policy", package])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    parse_candidate(std::str::from_utf8(&output.stdout).ok()?)
}

fn parse_candidate(policy: &str) -> Option<String> {
    let version = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

/// Ubuntu 22.04 has 14: installing it would only leave an idle server behind.
fn offers_new_enough() -> Result<()> {
    let version = candidate("postgresql").unwrap_or_default();
    let major = version
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    if major
        .parse::<u32>()
        .is_ok_and(|major| major >= postgres::OLDEST)
    {
        return Ok(());
    }
    bail!(
        "this system offers PostgreSQL `{version}`, and {} or newer is needed. The PostgreSQL \
         project has packages for it: https://wiki.postgresql.org/wiki/Apt",
        postgres::OLDEST
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_children_are_known() {
        assert!(like_debian("ID=debian\n"));
        assert!(like_debian(
            "NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"
        ));
        assert!(!like_debian("ID=fedora\nNAME=\"not debian\"\n"));
    }

    #[test]
    fn the_candidate_is_read() {
        let policy = "postgresql:\n  Installed: (none)\n  Candidate: 15+248\n  Version table:\n";
        assert_eq!(parse_candidate(policy).as_deref(), Some("15+248"));
        assert_eq!(parse_candidate("x:\n  Candidate: (none)\n"), None);
        assert_eq!(parse_candidate(""), None);
    }
}
