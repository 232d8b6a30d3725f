//! `cargo x demo-data`: cuts the demo's data out of the data folder, for maintainers.
//!
//! Facts only: ids, names, versions, ranges, scores, dates. What is taken is what the structs of
//! these modules declare; every other field of a source is never read. The same folder
//! gives the same bytes, so a diff of `crates/cli/demo` shows a change of the cut and nothing else.
//!
//! An example and not a part of `xtask` itself, because its packages (zstd compiles C) would be
//! built before every other command.

mod advisory;
mod image;
mod kev;
mod package;
mod pick;
mod record;
mod sources;
mod vex;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::advisory::History;
use self::package::PackageName;

/// The first snapshot: what was known at this moment.
const BEFORE: &str = "2023-01-20T00:00:00Z";
/// The second snapshot: the evening of the catalogue of known exploited vulnerabilities used with it.
const AFTER: &str = "2025-01-25T00:00:00Z";
/// Advisories in the second snapshot: those on packages of the images, then others up to here.
const ADVISORIES_WANTED: usize = 1_500;
/// The strongest of the ordinary levels; the files are packed once and unpacked often.
const ZSTD_LEVEL: i32 = 19;
/// The largest window a file of the data folder was packed with: 2^27 bytes.
const ZSTD_WINDOW_LOG: u32 = 27;

fn main() -> ExitCode {
    match run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes `crates/cli/demo` below `workspace` and prints what each file holds.
///
/// # Errors
/// When the data folder is missing, has another shape than expected, or no longer has a picked
/// image or statement; nothing is written then.
fn run(workspace: &Path) -> Result<()> {
    let data = data_folder(workspace)?;
    let images = image::read_picked(&data)?;
    let present: BTreeSet<PackageName> = images.iter().flat_map(image::Image::packages).collect();

    let histories = advisory::SOURCES
        .iter()
        .map(|source| History::read(&data, source))
        .collect::<Result<Vec<_>>>()?;
    let cut = advisory::cut(&histories, &present)?;
    let severities = advisory::read_severities(&data)?;
    let before = advisory::facts(&cut.before, &severities)?;
    let after = advisory::facts(&cut.after, &severities)?;
    let catalogue = kev::read(&data)?;
    let kev_before = catalogue.known_on(day(BEFORE));
    let kev_after = catalogue.known_on(day(AFTER));
    let vex = vex::read_picked(&data)?;

    let count_components: usize = images.iter().map(image::Image::component_count).sum();
    let figures = sources::Figures {
        images: images.len(),
        components: count_components,
        before: before.len(),
        after: after.len(),
    };
    let files = [
        ("images.jsonl.zst", packed_lines(&images)?),
        ("advisories.before.jsonl.zst", packed_lines(&before)?),
        ("advisories.after.jsonl.zst", packed_lines(&after)?),
        ("kev.before.json", json_line(&kev_before)?),
        ("kev.after.json", json_line(&kev_after)?),
        ("vex.openvex.json", pretty_json(&vex)?),
        ("SOURCES.md", sources::text(&histories, &figures)),
    ];

    let folder = workspace.join("crates/cli/demo");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let mut total_bytes = 0;
    for (name, bytes) in &files {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
        println!("{name:<28} {:>8} bytes", bytes.len());
        total_bytes += bytes.len();
    }
    println!("{:<28} {total_bytes:>8} bytes", "together");
    println!(
        "{} images, {count_components} components; {} advisories before, {} after; KEV {} before, {} after",
        images.len(),
        before.len(),
        after.len(),
        kev_before.count,
        kev_after.count,
    );
    Ok(())
}

fn data_folder(workspace: &Path) -> Result<PathBuf> {
    let root = std::env::var_os("JOBENGINE_DATA")
        .map_or_else(|| workspace.join("../shared/data"), PathBuf::from);
    let folder = root.join("impact");
    ensure!(
        folder.is_dir(),
        "no impact data in {}; set JOBENGINE_DATA to the data folder",
        root.display()
    );
    Ok(folder)
}

/// The day of an RFC 3339 time: its first ten characters.
fn day(time: &str) -> &str {
    &time[..10]
}

/// Every line of a packed JSON Lines file that `wanted` accepts, in order.
///
/// `wanted` sees the line as text, so that lines without interest are not parsed.
fn read_lines<T: DeserializeOwned>(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<T>> {
    let shown = || path.display().to_string();
    let mut values = Vec::new();
    for (index, line) in BufReader::new(unpacked(path)?).lines().enumerate() {
        let line = line.with_context(|| format!("could not unpack {}", shown()))?;
        if wanted(&line) {
            let value = serde_json::from_str(&line)
                .with_context(|| format!("{} line {}", shown(), index + 1))?;
            values.push(value);
        }
    }
    Ok(values)
}

fn unpacked(path: &Path) -> Result<impl std::io::Read + use<>> {
    let file =
        fs::File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let mut decoder = zstd::Decoder::new(file)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn packed_lines<T: Serialize>(values: &[T]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    for value in values {
        plain.extend(json_line(value)?);
    }
    Ok(zstd::encode_all(plain.as_slice(), ZSTD_LEVEL)?)
}

fn json_line<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

fn pretty_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}
