//! Dependencies point one way (see ARCHITECTURE.md).

use crate::metadata::Metadata;

/// Each crate and the crates of ours that it may know, its tests included.
const LAYERS: [(&str, &[&str]); 10] = [
    ("jobengine-domain", &[]),
    ("jobengine-telemetry", &["jobengine-domain"]),
    ("jobengine-impact", &["jobengine-domain"]),
    (
        "jobengine-store",
        &[
            "jobengine-domain",
            "jobengine-impact",
            "jobengine-telemetry",
        ],
    ),
    (
        "jobengine-queue",
        &[
            "jobengine-domain",
            "jobengine-impact",
            "jobengine-store",
            "jobengine-telemetry",
        ],
    ),
    ("jobengine-api", BELOW_THE_ROLES),
    ("jobengine-duties", BELOW_THE_ROLES),
    (
        "jobengine-cli",
        &[
            "jobengine-api",
            "jobengine-domain",
            "jobengine-duties",
            "jobengine-impact",
            "jobengine-queue",
            "jobengine-sdk",
            "jobengine-store",
            "jobengine-telemetry",
        ],
    ),
    ("jobengine-sdk", &[]),
    ("xtask", &[]),
];

const BELOW_THE_ROLES: &[&str] = &[
    "jobengine-domain",
    "jobengine-impact",
    "jobengine-queue",
    "jobengine-store",
    "jobengine-telemetry",
];

/// Each crate and the packages of others that it must not know outside its tests.
const SHUT: [(&str, &[&str], &[&str]); 9] = [
    ("jobengine-telemetry", HTTP, SQL),
    ("jobengine-domain", OUTSIDE_WORLD, SQL),
    ("jobengine-impact", OUTSIDE_WORLD, SQL),
    ("jobengine-store", HTTP, &["reqwest"]),
    (
        "jobengine-queue",
        HTTP,
        &["deadpool-postgres", "refinery", "reqwest"],
    ),
    ("jobengine-api", &[], SQL),
    ("jobengine-duties", HTTP, SQL),
    ("jobengine-cli", &[], SQL),
    ("jobengine-sdk", HTTP, SQL),
];

const SQL: &[&str] = &["deadpool-postgres", "refinery", "sqlx", "tokio-postgres"];
const HTTP: &[&str] = &["axum", "hyper", "tower", "tower-http", "utoipa"];
const OUTSIDE_WORLD: &[&str] = &[
    "async-trait",
    "axum",
    "futures-util",
    "getrandom",
    "nix",
    "rand",
    "reqwest",
    "tempfile",
    "tokio",
    "tokio-util",
    "tracing",
];

/// Every dependency that points the wrong way.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let mut broken = Vec::new();
    for member in metadata.members() {
        let name = member.name.as_str();
        let Some((_, may_know)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            broken.push(format!("{name} has no layer in xtask/src/tidy/layers.rs"));
            continue;
        };
        for dependency in &member.dependencies {
            let other = dependency.name.as_str();
            let ours = LAYERS.iter().any(|(layer, _)| *layer == other);
            if ours && !may_know.contains(&other) {
                broken.push(format!("{name} must not know {other}"));
            }
            if !dependency.for_tests() && shut(name, other) {
                broken.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    broken
}

fn shut(name: &str, other: &str) -> bool {
    SHUT.iter().any(|(layer, some, more)| {
        *layer == name && (some.contains(&other) || more.contains(&other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_a_layer() {
        let known = |name: &&str| LAYERS.iter().any(|(layer, _)| layer == name);
        assert!(
            LAYERS
                .iter()
                .all(|(_, may_know)| may_know.iter().all(known))
        );
        assert!(SHUT.iter().all(|(layer, ..)| known(layer)));
    }

    #[test]
    fn the_roles_never_know_each_other() {
        let may_know = |layer: &str, other: &str| {
            LAYERS
                .iter()
                .any(|(name, may)| *name == layer && may.contains(&other))
        };
        assert!(!may_know("jobengine-api", "jobengine-duties"));
        assert!(!may_know("jobengine-duties", "jobengine-api"));
        assert!(shut("jobengine-domain", "tokio"));
        assert!(!shut("jobengine-store", "tokio-postgres"));
    }
}
