//! One statement, one file, named in its first line, next to the module of its concept.

use super::File;

const SOURCES: &str = "crates/store/src/";

/// Every SQL file that is unnamed, away from the module of its concept, or sent by nobody.
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
        let (concept, statement) = name.rsplit_once('/').unwrap_or(("", name));
        let owners = [
            format!("{SOURCES}{concept}.rs"),
            format!("{SOURCES}{concept}/"),
        ];
        let rust = || files.iter().filter(|other| other.has_extension(&["rs"]));
        let owns = |other: &File| owners.iter().any(|owner| other.path.starts_with(owner));
        if !rust().any(owns) {
            broken.push(format!("{}: there is no module `{concept}`", file.path));
        }
        // A module that moves several concepts at once names the other one's statement in full.
        let sends = |other: &File| {
            other.path.starts_with(SOURCES) && other.text.contains(name)
                || owns(other) && other.text.contains(statement)
        };
        if !rust().any(sends) {
            broken.push(format!("{}: nobody sends it", file.path));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn check_with(path: &str, text: &str, module: &str, sends: &str) -> Vec<String> {
        check(&[file(path, text), file(module, sends)])
    }

    #[test]
    fn a_statement_is_named_and_sent() {
        let path = "crates/store/src/lease/claim.sql";
        let module = "crates/store/src/lease.rs";
        let good = "-- lease/claim.sql: leases jobs.\nSELECT 1\n";
        let sends = "include_str!(\"lease/claim.sql\")";
        assert!(check_with(path, good, module, sends).is_empty());
        let inside = "crates/store/src/lease/mod.rs";
        assert!(check_with(path, good, inside, "include_str!(\"claim.sql\")").is_empty());
        assert_eq!(
            check_with(path, "SELECT 1\n", module, sends),
            [format!(
                "{path}: the first line must begin with `-- lease/claim.sql: `"
            )]
        );
        assert_eq!(
            check_with(path, good, module, ""),
            [format!("{path}: nobody sends it")]
        );
        assert_eq!(
            check_with(path, good, "crates/store/src/settle.rs", sends),
            [format!("{path}: there is no module `lease`")]
        );
        assert_eq!(
            check_with("crates/api/src/claim.sql", good, module, sends),
            ["crates/api/src/claim.sql: only the store speaks SQL"]
        );
        assert!(check_with("crates/store/migrations/V1__a.sql", "x", module, "").is_empty());
    }
}
