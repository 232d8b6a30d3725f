//! What was read and found, in figures.

use std::collections::BTreeMap;
use std::fmt;

use jobengine_impact::severity::Severity;
use serde::Serialize;

use super::report::Row;
use super::table::plain;

/// How many were read, and how many refused.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Count {
    pub(super) read: usize,
    pub(super) refused: usize,
}

/// The inputs, counted.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    pub(super) sbom_files: Count,
    pub(super) advisory_files: Count,
    pub(super) advisories: Count,
    pub(super) vex_files: Count,
}

/// The whole work, counted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    #[serde(flatten)]
    counts: Counts,
    components: usize,
    findings: usize,
    /// Findings that VEX takes away (`not_affected`, `fixed`); the figures below leave them out.
    suppressed: usize,
    by_severity: BTreeMap<Severity, usize>,
    kev: usize,
    unmatched: usize,
    /// Ecosystems that advisories speak of and nothing is judged in, with the number of advisories.
    unsupported: BTreeMap<String, usize>,
}

impl Summary {
    pub(super) fn new(
        counts: Counts,
        components: usize,
        rows: &[Row],
        unmatched: usize,
        unsupported: BTreeMap<String, usize>,
    ) -> Self {
        let mut by_severity: BTreeMap<_, _> = Severity::ALL.map(|severity| (severity, 0)).into();
        let mut kev = 0;
        let open = rows.iter().filter(|row| !row.status.suppresses());
        for row in open.clone() {
            *by_severity.entry(row.severity).or_default() += 1;
            kev += usize::from(row.kev);
        }
        Self {
            counts,
            components,
            findings: rows.len(),
            suppressed: rows.len() - open.count(),
            by_severity,
            kev,
            unmatched,
            unsupported,
        }
    }
}

impl Summary {
    /// Whether anything was there to be judged.
    pub(super) const fn reads_sboms(&self) -> bool {
        self.counts.sbom_files.read > 0
    }
}

/// A few lines for standard error.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            sbom_files,
            advisory_files,
            advisories,
            vex_files,
        } = self.counts;
        writeln!(
            f,
            "SBOMs:      {sbom_files}; {} components",
            self.components
        )?;
        writeln!(f, "advisories: {advisories}; files: {advisory_files}")?;
        if vex_files.read + vex_files.refused > 0 {
            writeln!(f, "VEX files:  {vex_files}")?;
        }
        let open = self.findings - self.suppressed;
        write!(f, "findings:   {open}")?;
        let present = self
            .by_severity
            .iter()
            .rev()
            .filter(|(_, count)| **count > 0);
        for (index, (severity, count)) in present.enumerate() {
            write!(
                f,
                "{}{count} {severity}",
                if index == 0 { " (" } else { ", " }
            )?;
        }
        writeln!(f, "{}", if open > 0 { ")" } else { "" })?;
        if self.kev > 0 {
            writeln!(f, "            {} known to be exploited", self.kev)?;
        }
        if self.suppressed > 0 {
            writeln!(f, "            {} more taken away by VEX", self.suppressed)?;
        }
        writeln!(
            f,
            "not judged: {} components or advisory ranges",
            self.unmatched
        )?;
        for (ecosystem, count) in &self.unsupported {
            writeln!(f, "            {count} advisories for {}", plain(ecosystem))?;
        }
        Ok(())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read, {} refused", self.read, self.refused)
    }
}
