//! `SOURCES.md`: whose facts these are, under which licence, and how they were cut.

use std::fmt::Write as _;

use super::advisory::{History, Snapshot, Source};
use super::{AFTER, BEFORE, pick};

/// What the files hold.
pub(super) struct Figures {
    pub(super) images: usize,
    pub(super) components: usize,
    /// Advisories of the first snapshot.
    pub(super) before: usize,
    /// Advisories of the second.
    pub(super) after: usize,
}

/// The whole file.
pub(super) fn text(histories: &[History], figures: &Figures) -> Vec<u8> {
    let mut text = format!(
        "# Sources of the demo's data\n\n\
        Written by `cargo x demo-data`; do not edit. The files hold facts only: ids, names, versions, \
        ranges, scores and dates. Titles, descriptions, references and credits were never read.\n\n\
        {images} images with {components} components, and the advisories about them as they stood on \
        {BEFORE} ({before}) and on {AFTER} ({after}).\n\n\
        ## Advisories\n\n\
        `advisories.before.jsonl.zst`, `advisories.after.jsonl.zst`: one OSV record a line, sorted by id.\n\n\
        | source | upstream | licence | newest commit before | newest commit after | records there before, after |\n\
        |---|---|---|---|---|---|\n",
        images = figures.images,
        components = figures.components,
        before = figures.before,
        after = figures.after,
    );
    for history in histories {
        let Source {
            name,
            upstream,
            licence,
            base_commit,
            ..
        } = history.source;
        let before = newest(&history.before, base_commit);
        let after = newest(&history.after, base_commit);
        let (count_before, count_after) = (history.before.len(), history.after.len());
        writeln!(
            text,
            "| {name} | <{upstream}> | {licence} | {before} | {after} | {count_before}, {count_after} |",
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str(RULES_AND_NOTICES);
    text.push_str("\n| program | lock file at commit |\n|---|---|\n");
    for pick in pick::LOCK_FILES {
        writeln!(text, "| {} | {} |", pick.image, pick.commit)
            .expect("writing to a string cannot fail");
    }
    text.into_bytes()
}

/// The newest change as commit and time, or the commit of the base; some sources have no commits.
fn newest(snapshot: &Snapshot, base_commit: &str) -> String {
    match &snapshot.newest {
        Some((commit, time)) => match commit.get(..12).filter(|start| is_hex(start)) {
            Some(start) => format!("{start} ({time})"),
            None => time.clone(),
        },
        None if base_commit.is_empty() => "as collected".to_owned(),
        None => format!("{base_commit} (as collected)"),
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const RULES_AND_NOTICES: &str = "
Taken: every record that names a package of one of the images at either date, then all records of \
other packages, in the order of the SHA-256 of `ecosystem/name`, until the second snapshot had 1,500. \
Of a record: id, aliases, upstream, published, modified, withdrawn, severity, the affected packages \
with their version ranges and versions, and `severity` and `cvss_score` of `database_specific`. Ranges \
over commits were left out. A record that gave no severity in any of these got the CVSS vectors known \
for its CVEs, in 2026, from the records of PyPA and GHSA (CC-BY-4.0) and of RustSec (CC0-1.0).

Attribution (CC-BY-4.0, <https://creativecommons.org/licenses/by/4.0/>): the Go vulnerability database by \
the Go authors; the Python Packaging Advisory Database by the Python Packaging Authority and \
contributors, in the copy that Weston Steimel keeps; the GitHub Advisory Database by GitHub and \
contributors. Changes: reduced to the fields named above, as JSON Lines.

The ids `RETIRE/…` and `NSWG-ECO-…` are not their upstreams' own: these sources, and Debian's lists of \
DSA and DLA, were put into OSV form from id, date, package, CVE ids and versions. Debian's security \
tracker has no licence file; nothing but such facts was taken from it.

## Known exploited vulnerabilities

`kev.before.json`, `kev.after.json`: CVE ids and dates of CISA's catalogue \
(<https://github.com/cisagov/kev-data>, CC0-1.0), the entries added up to each date, read from the \
catalogue of 2025-01-24.

## VEX

`vex.openvex.json`: one statement by the SUSE Rancher Security team, of \
<https://github.com/rancher/vexhub>, CC-BY-4.0, without its prose, in a document of our own. It is \
younger than the second snapshot.

## Images

`images.jsonl.zst`: one image a line, each with a CycloneDX 1.5 document made here from the purls, in \
their order and each once, that an SPDX document listed. It names that document's tool. The \
SPDX documents are those of <https://github.com/chainguard-dev/bom-shelter> at 89ed4943e027, of \
December 2022, each declared `CC0-1.0`. Where one tool read an image more than once, the newest counts.

Two Rust programs were added from their lock files, only names and versions: linkerd2-proxy \
(Apache-2.0) and meilisearch (MIT). They are no images: their `digest` is the SHA-256 of the list, a \
purl a line, and their tool is called `cargo-lock`.
";
