//! What is read before anything is judged.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jobengine_impact::advisory::{Advisory, osv};
use jobengine_impact::cvss_table::{self, CvssTable};
use jobengine_impact::document::{DocumentCode, DocumentError};
use jobengine_impact::kev::{self, KEV_MAX_BYTES, KevCatalogue};
use jobengine_impact::sbom::{self, SBOM_MAX_BYTES, Sbom};
use jobengine_impact::vex::Statement;
use jobengine_impact::vex::openvex;
use serde::Serialize;

use super::summary::{Count, Counts};
use super::table::plain;
use super::{MatchArgs, unpack, walk};
use crate::progress::Progress;

/// Bytes of one file of many records, unpacked.
const RECORDS_MAX_BYTES: usize = 512 * 1024 * 1024;

/// A file, or a record in it, that was refused.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    pub(super) file: String,
    pub(super) code: &'static str,
    pub(super) place: String,
    pub(super) detail: String,
    pub(super) level: Level,
}

/// How much of a problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Level {
    /// Something could not be read: the exit code tells.
    Error,
    /// One record of a feed says nothing that could be judged, or a part of one could not be read; the
    /// feed as such is sound, and public ones always hold a few of these.
    Warning,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl Problem {
    fn new(path: &Path, error: DocumentError) -> Self {
        let DocumentError {
            code,
            place,
            detail,
        } = error;
        Self {
            file: path.display().to_string(),
            code: code.as_str(),
            place,
            detail,
            level: Level::Error,
        }
    }

    /// A part of a record that counts without it.
    fn in_part(path: &Path, error: DocumentError) -> Self {
        Self {
            level: Level::Warning,
            ..Self::new(path, error)
        }
    }

    /// A record of a file of which `others` could be read.
    fn of_record(path: &Path, error: DocumentError, others: usize) -> Self {
        let harmless = error.code == DocumentCode::AdvisoryRangeMissing && others > 0;
        let level = if harmless {
            Level::Warning
        } else {
            Level::Error
        };
        Self {
            level,
            ..Self::new(path, error)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = plain(&self.file);
        write!(
            f,
            "{file}: {} at {}: {}",
            self.code, self.place, self.detail
        )
    }
}

/// Everything that could be read, and what could not.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Each SBOM under the path of its file.
    pub(super) sboms: Vec<(String, Sbom)>,
    pub(super) advisories: Vec<Advisory>,
    pub(super) statements: Vec<Statement>,
    pub(super) kev: KevCatalogue,
    pub(super) problems: Vec<Problem>,
    pub(super) counts: Counts,
}

impl Inputs {
    /// Reads all files that the arguments name, one after the other. None takes another with it.
    pub(super) fn read(args: &MatchArgs, progress: &mut Progress) -> Self {
        let mut inputs = Self::default();
        inputs.read_sboms(&args.sboms, progress);
        inputs.read_advisories(&args.advisories, progress);
        inputs.read_vex(&args.vex, progress);
        if let Some(path) = &args.kev {
            match unpack::read(path, KEV_MAX_BYTES).and_then(|bytes| kev::read(&bytes)) {
                Ok(catalogue) => inputs.kev = catalogue,
                Err(error) => inputs.problems.push(Problem::new(path, error)),
            }
        }
        inputs.rate(&args.severity);
        inputs
    }

    fn read_sboms(&mut self, paths: &[PathBuf], progress: &mut Progress) {
        let files = self.find(paths, |counts| &mut counts.sbom_files);
        progress.phase("reading SBOMs", files.len());
        for path in files {
            match unpack::read(&path, SBOM_MAX_BYTES).and_then(|bytes| sbom::read(&bytes)) {
                Ok(sbom) => {
                    self.counts.sbom_files.read += 1;
                    self.sboms.push((path.display().to_string(), sbom));
                }
                Err(error) => {
                    self.counts.sbom_files.refused += 1;
                    self.problems.push(Problem::new(&path, error));
                }
            }
            progress.step();
        }
    }

    fn read_advisories(&mut self, paths: &[PathBuf], progress: &mut Progress) {
        let files = self.find(paths, |counts| &mut counts.advisory_files);
        progress.phase("reading advisories", files.len());
        for path in files {
            let mut warnings = Vec::new();
            let records = read_records(&path, |bytes| {
                let records = osv::pieces(bytes);
                let records = records.inspect(|record| warnings.extend(record.warnings()));
                records.map(|record| record.advisory).collect()
            });
            let (advisories, errors) = split(records);
            count(&mut self.counts.advisory_files, &advisories, &errors);
            self.counts.advisories.read += advisories.len();
            self.counts.advisories.refused += errors.len();
            let others = advisories.len();
            self.advisories.extend(advisories);
            let refused = errors.into_iter();
            self.problems
                .extend(refused.map(|error| Problem::of_record(&path, error, others)));
            let in_part = warnings.into_iter();
            self.problems
                .extend(in_part.map(|error| Problem::in_part(&path, error)));
            progress.step();
        }
    }

    fn read_vex(&mut self, paths: &[PathBuf], progress: &mut Progress) {
        let files = self.find(paths, |counts| &mut counts.vex_files);
        progress.phase("reading VEX", files.len());
        for path in files {
            let records = read_records(&path, |bytes| openvex::read_all(bytes).collect());
            let (documents, errors) = split(records);
            count(&mut self.counts.vex_files, &documents, &errors);
            self.statements.extend(documents.into_iter().flatten());
            self.problems
                .extend(errors.into_iter().map(|error| Problem::new(&path, error)));
            progress.step();
        }
    }

    /// Fills in what the advisories leave open about severity.
    fn rate(&mut self, paths: &[PathBuf]) {
        let mut table = CvssTable::default();
        for path in paths {
            let read = unpack::read(path, RECORDS_MAX_BYTES);
            match read.and_then(|bytes| cvss_table::read(&bytes)) {
                Ok(more) => table.merge(more),
                Err(error) => self.problems.push(Problem::new(path, error)),
            }
        }
        for advisory in &mut self.advisories {
            table.rate(advisory);
        }
    }

    fn find(
        &mut self,
        paths: &[PathBuf],
        count: fn(&mut Counts) -> &mut Count,
    ) -> BTreeSet<PathBuf> {
        let files = walk::files(paths);
        count(&mut self.counts).refused += files.refused.len();
        let refused = files.refused.into_iter();
        self.problems
            .extend(refused.map(|(path, error)| Problem::new(&path, error)));
        files.found
    }
}

type Records<T> = Vec<Result<T, DocumentError>>;

/// The records of a file; a file that cannot be unpacked is one refused record.
fn read_records<T>(path: &Path, read: impl FnOnce(&[u8]) -> Records<T>) -> Records<T> {
    match unpack::read(path, RECORDS_MAX_BYTES) {
        Ok(bytes) => read(&bytes),
        Err(error) => vec![Err(error)],
    }
}

fn split<T>(records: Records<T>) -> (Vec<T>, Vec<DocumentError>) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for record in records {
        match record {
            Ok(record) => good.push(record),
            Err(error) => bad.push(error),
        }
    }
    (good, bad)
}

/// A file counts as refused when nothing of it could be read.
fn count<T>(files: &mut Count, good: &[T], bad: &[DocumentError]) {
    if good.is_empty() && !bad.is_empty() {
        files.refused += 1;
    } else {
        files.read += 1;
    }
}
