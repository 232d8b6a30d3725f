//! What is printed: one row for each SBOM, purl and advisory.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_impact::evaluate::{Evaluation, ImageInput, Scope, Unjudged, evaluate};
use jobengine_impact::matcher::{Hit, Judged, Matcher};
use jobengine_impact::package::Package;
use jobengine_impact::severity::Severity;
use jobengine_impact::vex::Status;
use serde::Serialize;

use super::inputs::{Inputs, Problem};
use super::summary::Summary;

/// One advisory that hits one component of one SBOM.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) sbom: String,
    pub(super) purl: String,
    /// Whether no source package is stated for the component, so that the binary package's name stands for it.
    pub(super) source_assumed: bool,
    pub(super) advisory: String,
    /// Other names of the same flaw.
    aliases: BTreeSet<String>,
    /// The flaw, whatever record speaks of it: with `sbom` and `purl` the identity of a finding.
    pub(super) group: String,
    pub(super) severity: Severity,
    /// Whether the flaw is known to be exploited.
    pub(super) kev: bool,
    pub(super) status: Status,
    /// Why VEX says so, where it does.
    justification: Option<String>,
    /// A later version without the flaw, where the advisory names one.
    pub(super) fixed: Option<String>,
}

/// A component that cannot be judged, or one that an advisory cannot be judged for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unmatched {
    pub(super) purl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advisory: Option<String>,
    pub(super) reason: String,
}

/// The whole answer. Everything in it is sorted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    pub(super) findings: Vec<Row>,
    pub(super) unmatched: BTreeSet<Unmatched>,
    problems: &'a [Problem],
    pub(super) summary: Summary,
}

impl<'a> Report<'a> {
    /// Judges all SBOMs.
    pub(super) fn new(inputs: &'a Inputs) -> Self {
        let matcher = Matcher::new(&inputs.advisories);
        let names: Vec<Vec<String>> = inputs
            .sboms
            .iter()
            .map(|(_, sbom)| sbom.names.iter().cloned().collect())
            .collect();
        let images = inputs
            .sboms
            .iter()
            .zip(&names)
            .map(|((file, sbom), names)| ImageInput {
                image: file,
                digest: sbom.image_digest.as_deref(),
                names,
                components: &sbom.components,
            });
        let evaluation = evaluate(
            images,
            &Scope::All,
            &matcher,
            &inputs.kev,
            &inputs.statements,
        );
        let findings = rows(&evaluation, &matcher, inputs);
        let unmatched: BTreeSet<_> = evaluation
            .unmatched
            .into_iter()
            .map(Unmatched::of)
            .collect();
        let components = inputs
            .sboms
            .iter()
            .map(|(_, sbom)| sbom.components.len())
            .sum();
        let unsupported = unsupported(inputs);
        let summary = Summary::new(
            inputs.counts,
            components,
            &findings,
            unmatched.len(),
            unsupported,
        );
        Self {
            findings,
            unmatched,
            problems: &inputs.problems,
            summary,
        }
    }
}

/// Spreads each finding over the advisories that it stands for.
fn rows(evaluation: &Evaluation, matcher: &Matcher, inputs: &Inputs) -> Vec<Row> {
    let mut judged: BTreeMap<&Package, Judged<'_>> = BTreeMap::new();
    let mut rows: BTreeMap<(&str, &str, &str), Row> = BTreeMap::new();
    for finding in &evaluation.findings {
        let package = &finding.package;
        let known = judged
            .entry(package)
            .or_insert_with(|| matcher.judge(package));
        for hit in known
            .hits
            .iter()
            .filter(|hit| hit.flaw.group == finding.group)
        {
            let row = || Row {
                sbom: finding.image.clone(),
                purl: finding.purl.clone(),
                source_assumed: finding.source_assumed,
                advisory: hit.flaw.advisory.clone(),
                aliases: BTreeSet::new(),
                group: finding.group.clone(),
                severity: Severity::Unknown,
                kev: false,
                status: finding.status,
                justification: finding.justification.clone(),
                fixed: None,
            };
            let key = (
                finding.image.as_str(),
                finding.purl.as_str(),
                hit.flaw.advisory.as_str(),
            );
            rows.entry(key).or_insert_with(row).add(hit, inputs);
        }
    }
    rows.into_values().collect()
}

impl Row {
    /// Adds what a record says. Two records may share an id: two states of one advisory.
    fn add(&mut self, hit: &Hit<'_>, inputs: &Inputs) {
        self.aliases.extend(hit.flaw.aliases.iter().cloned());
        self.severity = self.severity.max(hit.severity);
        self.kev |= hit
            .flaw
            .cves()
            .any(|cve| inputs.kev.entries.contains_key(cve));
        if self.fixed.is_none() {
            self.fixed.clone_from(&hit.fixed);
        }
    }
}

impl Unmatched {
    fn of(unjudged: Unjudged) -> Self {
        let Unjudged {
            purl,
            advisory,
            reason,
        } = unjudged;
        let reason = match &advisory {
            Some(advisory) => format!("advisory {advisory}: {reason}"),
            None => reason.to_string(),
        };
        Self {
            purl,
            advisory,
            reason,
        }
    }
}

fn unsupported(inputs: &Inputs) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for ecosystem in inputs
        .advisories
        .iter()
        .flat_map(|advisory| &advisory.unsupported)
    {
        *counts.entry(ecosystem.clone()).or_default() += 1;
    }
    counts
}
