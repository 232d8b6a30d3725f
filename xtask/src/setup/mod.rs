//! `cargo x setup`: what the machine must have and cargo cannot bring.

mod debian;
mod postgres;
pub(crate) mod python;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::process::which;

/// Something that must be there.
struct Need {
    /// For a person.
    name: &'static str,
    /// Debian's and Ubuntu's packages that bring it.
    debian: &'static [&'static str],
    /// What brings it elsewhere.
    elsewhere: &'static str,
    /// What was found: a path or a version.
    find: fn() -> Option<String>,
}

const NEEDS: [Need; 4] = [
    Need {
        name: "a PostgreSQL server, 15 or newer",
        debian: &["postgresql"],
        elsewhere: "`postgresql-server` on Fedora and openSUSE, `postgresql` on Arch, \
                    `postgresql17` on Alpine, `postgresql@17` in Homebrew",
        find: || postgres::find().map(|found| found.to_string()),
    },
    Need {
        name: "a C compiler",
        debian: &["gcc", "libc6-dev"],
        elsewhere: "`gcc` with the C library's headers nearly everywhere, `build-base` on Alpine, \
                    the command line tools on macOS",
        find: || compiler().map(|path| path.display().to_string()),
    },
    Need {
        name: "Python 3.10 or newer with its `venv` module",
        debian: &["python3", "python3-venv"],
        elsewhere: "`python3` nearly everywhere",
        find: python::find,
    },
    Need {
        name: "the program `ip`, for tests whose network goes down",
        debian: &["iproute2"],
        elsewhere: "`iproute2` or `iproute` on Linux; without it these tests are passed over",
        find: network,
    },
];

/// Installs what is missing; says what was found or done. Does nothing the second time.
///
/// # Errors
/// Something is missing and cannot be installed here; the text names the packages.
pub(crate) fn run() -> Result<()> {
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| (need.find)().is_none())
        .collect();
    if missing.is_empty() {
        let found: Vec<_> = NEEDS.iter().filter_map(|need| (need.find)()).collect();
        python::tools()?;
        eprintln!("setup: nothing to install ({})", found.join("; "));
        return Ok(());
    }
    for need in &missing {
        eprintln!("setup: {} is missing", need.name);
    }
    if !debian::is_here() {
        bail!(
            "this is not Debian or Ubuntu, so nothing was installed.{}",
            advice(&missing)
        );
    }
    debian::install(missing.iter().flat_map(|need| need.debian.iter().copied()))?;
    let missing: Vec<&Need> = missing
        .into_iter()
        .filter(|need| (need.find)().is_none())
        .collect();
    if !missing.is_empty() {
        bail!(
            "the packages were installed, but something is still not found.{}",
            advice(&missing)
        );
    }
    python::tools()?;
    eprintln!("setup: done");
    Ok(())
}

fn advice(missing: &[&Need]) -> String {
    let lines = missing
        .iter()
        .map(|need| format!("\n  {}: {}", need.name, need.elsewhere));
    format!(" Please install:{}", lines.collect::<String>())
}

/// The program that makes networks; only Linux has what it makes.
fn network() -> Option<String> {
    let found = which("ip").map(|path| path.display().to_string());
    found.or_else(|| cfg!(not(target_os = "linux")).then(|| "no network to make".to_owned()))
}

/// The compiler that build scripts will call.
fn compiler() -> Option<PathBuf> {
    match std::env::var("CC") {
        Ok(named) => which(named.split_whitespace().next()?),
        Err(_) => ["cc", "gcc", "clang"].into_iter().find_map(which),
    }
}
