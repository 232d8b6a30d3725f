//! Licences, sources and banned packages, by the rules of `deny.toml`.
//!
//! The file is written for cargo-deny; this reads the part of it that a gate needs, so that CI
//! needs no other program and both agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::metadata::{Metadata, Package};
use crate::process::root;
use crate::spdx;

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A package that must not be there, or not in two versions.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    deny_multiple_versions: bool,
    reason: String,
}

/// Judges every package that can be part of a build.
///
/// # Errors
/// `deny.toml` cannot be read, or a package breaks it; all that do are named.
pub(crate) fn run(metadata: &Metadata) -> Result<()> {
    let text = fs::read_to_string(root().join("deny.toml")).context("could not read deny.toml")?;
    let rules: Rules = toml::from_str(&text).context("could not understand deny.toml")?;
    let packages = metadata.buildable()?;
    let broken = judge(&rules, &packages);
    if broken.is_empty() {
        eprintln!("{} packages, all as deny.toml wants them", packages.len());
        return Ok(());
    }
    bail!("deny.toml is broken:\n  {}", broken.join("\n  "));
}

fn judge(rules: &Rules, packages: &[&Package]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let Package { name, version, .. } = package;
        versions.entry(name).or_default().insert(version);
        match package.license.as_deref() {
            None => broken.push(format!("{name} {version} names no licence")),
            Some(licence) => match spdx::permits(licence, &rules.licenses.allow) {
                Ok(true) => {}
                Ok(false) => broken.push(format!("{name} {version} is under {licence}")),
                Err(why) => broken.push(format!("{name} {version}: `{licence}`: {why}")),
            },
        }
        if let Some(source) = &package.source {
            let registry = source.strip_prefix("registry+");
            if !registry.is_some_and(|url| rules.sources.allow_registry.contains(url)) {
                broken.push(format!("{name} {version} comes from {source}"));
            }
        }
    }
    for ban in &rules.bans.deny {
        let found = versions.get(ban.name.as_str()).map_or(0, BTreeSet::len);
        if found > usize::from(ban.deny_multiple_versions) {
            broken.push(format!("{} ({found} versions): {}", ban.name, ban.reason));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        licenses.allow = ["MIT"]
        sources.allow-registry = ["https://registry.example/index"]
        bans.deny = [
            { crate = "bad", reason = "never" },
            { crate = "tls", deny-multiple-versions = true, reason = "one is enough" },
        ]
    "#;

    fn check(packages: &[(&str, &str, Option<&str>, &str)], expected: &[&str]) {
        let rules: Rules = toml::from_str(RULES).expect("rules");
        let packages: Vec<Package> = packages
            .iter()
            .map(|(name, version, license, source)| {
                serde_json::from_value(serde_json::json!({
                    "id": name, "name": name, "version": version, "license": license,
                    "source": source, "dependencies": [],
                }))
                .expect("a package")
            })
            .collect();
        assert_eq!(
            judge(&rules, &packages.iter().collect::<Vec<_>>()),
            expected
        );
    }

    #[test]
    fn each_rule_is_kept() {
        let ours = "registry+https://registry.example/index";
        check(&[("a", "1.0.0", Some("MIT"), ours)], &[]);
        check(
            &[("a", "1.0.0", Some("MPL-2.0"), ours)],
            &["a 1.0.0 is under MPL-2.0"],
        );
        check(&[("a", "1.0.0", None, ours)], &["a 1.0.0 names no licence"]);
        check(
            &[("a", "1.0.0", Some("MIT"), "git+https://example.org/a")],
            &["a 1.0.0 comes from git+https://example.org/a"],
        );
        check(
            &[("bad", "1.0.0", Some("MIT"), ours)],
            &["bad (1 versions): never"],
        );
        check(&[("tls", "1.0.0", Some("MIT"), ours)], &[]);
        check(
            &[
                ("tls", "1.0.0", Some("MIT"), ours),
                ("tls", "2.0.0", Some("MIT"), ours),
            ],
            &["tls (2 versions): one is enough"],
        );
    }
}
