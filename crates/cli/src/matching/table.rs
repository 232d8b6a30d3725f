//! The answer for people: a table for each SBOM, the worst first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, Table, Width};
use jobengine_impact::severity::Severity;
use jobengine_impact::vex::Status;

use super::report::{Report, Row};
use crate::output;

/// Names of one flaw that are shown; the others are counted.
const NAMES_MAX: usize = 2;
/// Columns of the table of findings.
const SEVERITY: usize = 0;
const ADVISORY: usize = 2;
const FLAW: usize = 3;
/// Enough for one name of the longest kind, `GHSA-xxxx-xxxx-xxxx`, and the column's blank.
const FLAW_WIDTH: u16 = 20;

/// Draws the whole report.
pub(super) fn render(report: &Report<'_>) -> String {
    let mut by_sbom: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &report.findings {
        by_sbom.entry(&row.sbom).or_default().push(row);
    }
    let mut text = String::new();
    for (sbom, mut rows) in by_sbom {
        // Stable: rows of one severity stay sorted by purl and advisory.
        rows.sort_by_key(|row| {
            (
                row.status.suppresses(),
                std::cmp::Reverse((row.severity, row.kev)),
            )
        });
        let table = findings(&rows);
        let noun = if rows.len() == 1 {
            "finding"
        } else {
            "findings"
        };
        let _ = writeln!(
            text,
            "{}: {} {noun}\n{}",
            plain(sbom),
            rows.len(),
            output::draw(table) + "\n"
        );
    }
    if report.findings.is_empty() {
        text.push_str(if report.summary.reads_sboms() {
            "No findings.\n\n"
        } else {
            "No SBOM could be read.\n\n"
        });
    }
    text + &unmatched(report)
}

/// One table. Names of advisories are never broken, so that they can be copied and searched for.
fn findings(rows: &[&Row]) -> Table {
    let with_status = rows.iter().any(|row| row.status != Status::Affected);
    let mut header = vec!["severity", "component", "advisory", "flaw", "fixed in"];
    if with_status {
        header.push("status");
    }
    let mut table = table(&header);
    for column in [SEVERITY, ADVISORY] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if let Some(column) = table.column_mut(FLAW) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(FLAW_WIDTH)));
    }
    for row in rows {
        let mut cells = cells(row);
        cells.truncate(header.len());
        table.add_row(cells);
    }
    table
}

fn cells(row: &Row) -> Vec<Cell> {
    let severity = Cell::new(row.severity);
    let severity = match row.severity {
        Severity::Critical => severity.fg(Color::Red).add_attribute(Attribute::Bold),
        Severity::High => severity.fg(Color::Red),
        Severity::Medium => severity.fg(Color::Yellow),
        Severity::Low | Severity::Unknown => severity,
    };
    let purl = plain(&row.purl);
    let component = purl.strip_prefix("pkg:").unwrap_or(&purl);
    // Qualifiers say where a package comes from, not which one it is.
    let component = component.split('?').next().unwrap_or(component);
    let assumed = if row.source_assumed {
        " (source assumed)"
    } else {
        ""
    };
    let flaw = shortened(&plain(&row.group)) + if row.kev { " (exploited)" } else { "" };
    let flaw = Cell::new(flaw);
    vec![
        severity,
        Cell::new(format!("{component}{assumed}")),
        Cell::new(plain(&row.advisory)),
        if row.kev {
            flaw.fg(Color::Red).add_attribute(Attribute::Bold)
        } else {
            flaw
        },
        Cell::new(row.fixed.as_deref().map_or("-".into(), plain)),
        Cell::new(status(row.status)),
    ]
}

/// Names come from foreign documents and may hold what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

fn shortened(group: &str) -> String {
    let names: Vec<_> = group.split(',').collect();
    match names.len().checked_sub(NAMES_MAX) {
        Some(more @ 1..) => format!("{} +{more}", names[..NAMES_MAX].join(", ")),
        _ => names.join(", "),
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Affected => "affected",
        Status::NotAffected => "not affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under investigation",
    }
}

/// Components by reason; what an advisory could not be judged for, one by one.
fn unmatched(report: &Report<'_>) -> String {
    if report.unmatched.is_empty() {
        return String::new();
    }
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    let mut singly = Vec::new();
    for entry in &report.unmatched {
        match entry.advisory {
            Some(_) => singly.push((entry.purl.as_str(), entry.reason.as_str())),
            None => *by_reason.entry(&entry.reason).or_default() += 1,
        }
    }
    let mut table = table(&["not judged", "why"]);
    for (reason, count) in by_reason {
        let noun = if count == 1 {
            "component"
        } else {
            "components"
        };
        table.add_row([format!("{count} {noun}"), plain(reason)]);
    }
    for (purl, reason) in singly {
        table.add_row([plain(purl), plain(reason)]);
    }
    output::draw(table)
}

fn table(header: &[&str]) -> Table {
    let mut table = output::table();
    table.set_header(header.to_vec());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_with_many_names_is_shortened() {
        assert_eq!(shortened("CVE-1"), "CVE-1");
        assert_eq!(shortened("CVE-1,CVE-2"), "CVE-1, CVE-2");
        assert_eq!(shortened("CVE-1,CVE-2,CVE-3,CVE-4"), "CVE-1, CVE-2 +2");
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(
            plain("pkg:npm/a\u{1b}[2J@1\n"),
            "pkg:npm/a\u{fffd}[2J@1\u{fffd}"
        );
    }
}
