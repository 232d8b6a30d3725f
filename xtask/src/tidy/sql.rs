//! One statement, one file, named in its first line, next to the module that sends it.

use super::File;

const SOURCES: &str = "crates/store/src/";

/// Every SQL file that is unnamed, away from its module, or sent by nobody.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&["sql"])) {
        let Some(name) = file.path.strip_prefix(SOURCES) else {
            if !file.path.starts_with("crates/store/migrations/") {
                broken.push(format!("{}: only the store speaks SQL", file.path));
            }
            continue;
        };
        if !file.text.starts_with(&format!("-- {name}: ")) {
            broken.push(format!(
                "{}: the first line must begin with `-- {name}: `",
                file.path
            ));
        }
        let (module, statement) = name.rsplit_once('/').unwrap_or(("", name));
        let owners = [
            format!("{SOURCES}{module}.rs"),
            format!("{SOURCES}{module}/"),
        ];
        let sends = |other: &&File| {
            other.has_extension(&["rs"])
                && owners.iter().any(|owner| other.path.starts_with(owner))
                && other.text.contains(statement)
        };
        if !files.iter().any(|other| sends(&other)) {
            broken.push(format!("{}: no module beside it sends it", file.path));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn check_with(path: &str, text: &str, module: &str) -> Vec<String> {
        check(&[
            file(path, text),
            file(module, "include_str!(\"lease/claim.sql\")"),
        ])
    }

    #[test]
    fn a_statement_is_named_and_sent() {
        let path = "crates/store/src/lease/claim.sql";
        let module = "crates/store/src/lease.rs";
        let good = "-- lease/claim.sql: leases jobs.\nSELECT 1\n";
        assert!(check_with(path, good, module).is_empty());
        assert!(check_with(path, good, "crates/store/src/lease/mod.rs").is_empty());
        assert_eq!(
            check_with(path, "SELECT 1\n", module),
            [
                "crates/store/src/lease/claim.sql: the first line must begin with `-- lease/claim.sql: `"
            ]
        );
        assert_eq!(
            check_with(path, good, "crates/store/src/job.rs"),
            ["crates/store/src/lease/claim.sql: no module beside it sends it"]
        );
        assert_eq!(
            check_with("crates/api/src/claim.sql", good, module),
            ["crates/api/src/claim.sql: only the store speaks SQL"]
        );
        assert!(check_with("crates/store/migrations/V1__a.sql", "x", module).is_empty());
    }
}
