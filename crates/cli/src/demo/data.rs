//! The bundled data: facts about real images and advisories (`crates/cli/demo/SOURCES.md`).

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Advisories at the first date.
pub(super) const BEFORE: &[u8] = include_bytes!("../../demo/advisories.before.jsonl.zst");
/// Advisories at the second date.
pub(super) const AFTER: &[u8] = include_bytes!("../../demo/advisories.after.jsonl.zst");
/// The first date.
pub(super) const BEFORE_DAY: &str = "2023-01-20";
/// The second date.
pub(super) const AFTER_DAY: &str = "2025-01-25";
/// Known exploited vulnerabilities at the first date.
pub(super) const KEV_BEFORE: &[u8] = include_bytes!("../../demo/kev.before.json");
/// Known exploited vulnerabilities at the second date.
pub(super) const KEV_AFTER: &[u8] = include_bytes!("../../demo/kev.after.json");
/// A VEX statement.
pub(super) const VEX: &[u8] = include_bytes!("../../demo/vex.openvex.json");

const IMAGES: &[u8] = include_bytes!("../../demo/images.jsonl.zst");

/// One image with its SBOM.
#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) repository: String,
    pub(super) digest: String,
    pub(super) sbom: Box<RawValue>,
}

/// The images of the fleet.
pub(super) fn images() -> anyhow::Result<Vec<Image>> {
    let lines = zstd::decode_all(IMAGES).context("the bundled images are damaged")?;
    let image = |line: &[u8]| serde_json::from_slice(line).context("a bundled image is damaged");
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(image)
        .collect()
}
