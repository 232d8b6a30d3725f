//! The offline verifier: an export's bytes, public keys, and perhaps checkpoints held outside.
//!
//! It takes the bytes as they come and keeps one line, one batch's tree and the first findings: an
//! export of any length is checked in bounded memory, and no bytes make it panic.

mod batch;
mod held;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use self::batch::OpenBatch;
use self::held::Held;
use super::chain;
use super::checkpoint::{Checkpoint, CheckpointError};
use super::export::{FORMAT, Header, LINE_MAX_BYTES};
use super::finding::{FINDINGS_MAX, Fault, Finding, Verdict};
use super::parse::{Fields, ParseError};
use super::row::AuditRow;
use crate::digest::Digest;
use crate::dsse::{DsseError, PublicKey};

/// Verifies one export.
#[derive(Debug)]
pub struct Verifier {
    keys: Vec<PublicKey>,
    held: Held,
    partial: Vec<u8>,
    overlong: bool,
    line: u64,
    header: Option<Header>,
    last: Option<Before>,
    batch: OpenBatch,
    verdict: Verdict,
}

/// What is remembered of the checkpoint before.
#[derive(Debug)]
struct Before {
    size: u64,
    digest: Digest,
    epoch: u64,
}

impl Verifier {
    /// A verifier that trusts these keys. `held` are checkpoints that were kept outside, opened by
    /// [`Checkpoint::open`] already: the export must continue each of them.
    pub fn new(keys: &[PublicKey], held: Vec<Checkpoint>) -> Self {
        Self {
            keys: keys.to_vec(),
            held: Held::new(held),
            partial: Vec::new(),
            overlong: false,
            line: 0,
            header: None,
            last: None,
            batch: OpenBatch::default(),
            verdict: Verdict::default(),
        }
    }

    /// Takes the next bytes, however they are cut.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.line += 1;
            let line = std::mem::take(&mut self.partial);
            if std::mem::take(&mut self.overlong) {
                self.find(
                    Fault::Malformed,
                    None,
                    format!("a line has more than {LINE_MAX_BYTES} bytes"),
                );
            } else {
                self.read_line(&line);
            }
            // Its memory serves the next line.
            self.partial = line;
            self.partial.clear();
        }
        self.keep(bytes);
    }

    /// Says what was found, when all bytes were fed.
    pub fn finish(mut self) -> Verdict {
        if !self.partial.is_empty() || self.overlong {
            self.line += 1;
            self.find(
                Fault::CutShort,
                None,
                "the file ends in the middle of a line".to_owned(),
            );
        }
        self.line = 0;
        let Some(header) = self.header.take() else {
            if self.verdict.faults == 0 {
                self.find(Fault::CutShort, None, "the file has no header".to_owned());
            }
            return self.verdict;
        };
        if let Some(rows) = self.batch.uncovered() {
            self.find(
                Fault::Uncovered,
                Some(rows),
                format!(
                    "no checkpoint covers the rows {} to {}: the file was cut short, or they were added",
                    rows.0, rows.1
                ),
            );
        } else if self.batch.at() != header.last {
            self.find(
                Fault::CutShort,
                None,
                format!(
                    "the header announces rows up to {}, and the file ends after {}",
                    header.last,
                    self.batch.at()
                ),
            );
        }
        let first = self.verdict.first;
        for (fault, rows, detail) in self.held.unmet(first, self.batch.at()) {
            self.find(fault, rows, detail);
        }
        self.verdict.held = self.held.met();
        self.verdict.sound = self.verdict.faults == 0;
        self.verdict
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.partial.len() + bytes.len() > LINE_MAX_BYTES {
            self.overlong = true;
            self.partial.clear();
        }
        if !self.overlong {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn find(&mut self, fault: Fault, rows: Option<(u64, u64)>, detail: String) {
        self.verdict.faults += 1;
        if self.verdict.findings.len() < FINDINGS_MAX {
            self.verdict.findings.push(Finding {
                fault,
                line: (self.line > 0).then_some(self.line),
                first: rows.map(|(first, _)| first),
                last: rows.map(|(_, last)| last),
                detail,
            });
        }
    }

    fn read_line(&mut self, line: &[u8]) {
        if let Err(error) = self.understand(line) {
            self.find(
                Fault::Malformed,
                None,
                format!("the line cannot be read: {error}"),
            );
        }
    }

    fn understand(&mut self, line: &[u8]) -> Result<(), ParseError> {
        let mut fields = Fields::of_bytes(line)?;
        if self.header.is_none() {
            let header = fields.raw("header")?;
            fields.end()?;
            return self.read_header(header);
        }
        if let Some(envelope) = fields.raw_if_any("anchor") {
            fields.end()?;
            return self.read_anchor(envelope);
        }
        if let Some(envelope) = fields.raw_if_any("checkpoint") {
            fields.end()?;
            return self.read_checkpoint(envelope);
        }
        let (hash, row, sequence) = (
            fields.parsed("hash")?,
            fields.raw("row")?,
            fields.number("sequence")?,
        );
        fields.end()?;
        self.read_row(sequence, hash, row);
        Ok(())
    }

    fn read_header(&mut self, text: &str) -> Result<(), ParseError> {
        let mut fields = Fields::of(text)?;
        let format = fields.text("format")?;
        let header = Header {
            origin: fields.text("origin")?,
            tenant: fields.parsed("tenant")?,
            first: fields.number("first")?,
            last: fields.number("last")?,
        };
        fields.end()?;
        if format != FORMAT || header.first == 0 {
            return Err(ParseError::field("format"));
        }
        self.verdict.tenant = Some(header.tenant);
        self.verdict.origin = Some(header.origin.clone());
        self.verdict.first = header.first;
        self.verdict.last = header.first - 1;
        self.batch = OpenBatch::after(header.first - 1, chain::genesis(header.tenant));
        self.batch.anchored = header.first == 1;
        for (fault, detail) in self.held.foreign(&header.origin, header.tenant) {
            self.find(fault, None, detail);
        }
        self.header = Some(header);
        Ok(())
    }

    /// The checkpoint before the first row: where the chain is taken up.
    fn read_anchor(&mut self, envelope: &str) -> Result<(), ParseError> {
        let checkpoint = self.open(envelope)?;
        let starts_here = self.verdict.rows == 0 && self.verdict.checkpoints == 0;
        if !starts_here || self.batch.anchored || checkpoint.size + 1 != self.verdict.first {
            self.find(
                Fault::CheckpointOrder,
                None,
                format!(
                    "the checkpoint at {} is not the one before the first row",
                    checkpoint.size
                ),
            );
            return Ok(());
        }
        self.batch = OpenBatch::after(checkpoint.size, checkpoint.head);
        self.batch.anchored = true;
        self.meet(checkpoint.size, &checkpoint.head);
        self.last = Some(Before {
            size: checkpoint.size,
            digest: checkpoint.digest(),
            epoch: checkpoint.epoch,
        });
        Ok(())
    }

    fn read_row(&mut self, sequence: u64, hash: Digest, text: &str) {
        self.verdict.rows += 1;
        let rows = Some((sequence, sequence));
        match AuditRow::parse(text) {
            Ok(row) => {
                if Some(row.tenant_id) != self.verdict.tenant {
                    self.find(
                        Fault::WrongTenant,
                        rows,
                        format!("row {sequence} is of the tenant {}", row.tenant_id),
                    );
                }
            }
            // It goes on as what it is, bytes: whether they are the sealed ones is another question.
            Err(error) => self.find(
                Fault::Malformed,
                rows,
                format!("row {sequence} cannot be read: {error}"),
            ),
        }
        if !self.batch.anchored {
            self.batch.anchored = true;
            self.find(
                Fault::CheckpointOrder,
                rows,
                format!("the export begins with row {sequence} without the checkpoint before it"),
            );
        }
        match self.batch.row(sequence, chain::leaf(text.as_bytes()), hash) {
            Ok(()) => self.meet(sequence, &hash),
            Err((fault, detail)) => self.find(fault, rows, detail),
        }
    }

    fn read_checkpoint(&mut self, envelope: &str) -> Result<(), ParseError> {
        let checkpoint = self.open(envelope)?;
        self.verdict.checkpoints += 1;
        let before = self
            .last
            .as_ref()
            .map_or(self.verdict.first - 1, |last| last.size);
        if checkpoint.size <= before {
            self.find(
                Fault::CheckpointOrder,
                None,
                format!(
                    "the checkpoint at {} stands after the one at {before}",
                    checkpoint.size
                ),
            );
            return Ok(());
        }
        let prev = self.last.as_ref().map(|last| last.digest);
        let follows = checkpoint.first == before + 1
            && (prev == checkpoint.prev || (prev.is_none() && self.verdict.first > 1));
        if !follows {
            self.find(
                Fault::CheckpointOrder,
                Some((checkpoint.first, checkpoint.size)),
                format!(
                    "the checkpoint at {} does not follow the one at {before}: one was removed or exchanged",
                    checkpoint.size
                ),
            );
        }
        if self
            .last
            .as_ref()
            .is_some_and(|last| checkpoint.epoch < last.epoch)
        {
            self.find(
                Fault::EpochFell,
                Some((checkpoint.first, checkpoint.size)),
                format!(
                    "the checkpoint at {} is of an older epoch than the one before it",
                    checkpoint.size
                ),
            );
        }
        for (fault, rows, detail) in self.batch.close(&checkpoint, follows) {
            self.find(fault, Some(rows), detail);
        }
        self.batch = OpenBatch::after(checkpoint.size, checkpoint.head);
        self.batch.anchored = true;
        self.meet(checkpoint.size, &checkpoint.head);
        self.verdict.last = checkpoint.size;
        self.last = Some(Before {
            size: checkpoint.size,
            digest: checkpoint.digest(),
            epoch: checkpoint.epoch,
        });
        Ok(())
    }

    /// Opens a checkpoint. One that nobody trusted signed is a finding, and its content serves only to
    /// say more about the rows: nothing is sound after it.
    fn open(&mut self, envelope: &str) -> Result<Checkpoint, ParseError> {
        let checkpoint = match Checkpoint::open(envelope.as_bytes(), &self.keys) {
            Ok((checkpoint, key)) => {
                self.verdict.keys.insert(key.key_id());
                checkpoint
            }
            Err(error) => {
                let fault = match error {
                    CheckpointError::Envelope(DsseError::NotSigned) => Fault::WrongKey,
                    CheckpointError::Envelope(_) | CheckpointError::Payload(_) => Fault::Malformed,
                };
                self.find(
                    fault,
                    None,
                    format!("the checkpoint is not to be believed: {error}"),
                );
                unsigned(envelope)?
            }
        };
        if Some(checkpoint.tenant) != self.verdict.tenant {
            self.find(
                Fault::WrongTenant,
                None,
                format!("the checkpoint is of the tenant {}", checkpoint.tenant),
            );
        }
        if self.verdict.origin.as_ref() != Some(&checkpoint.origin) {
            self.find(
                Fault::WrongOrigin,
                None,
                format!(
                    "the checkpoint is of the installation {}",
                    checkpoint.origin
                ),
            );
        }
        Ok(checkpoint)
    }

    fn meet(&mut self, size: u64, head: &Digest) {
        if let Some(detail) = self.held.meet(size, head) {
            self.find(Fault::Forked, Some((size, size)), detail);
        }
    }
}

/// What an envelope holds, whoever signed it.
fn unsigned(envelope: &str) -> Result<Checkpoint, ParseError> {
    let payload = Fields::of(envelope)?.text("payload")?;
    let payload = STANDARD
        .decode(payload)
        .map_err(|_| ParseError::field("payload"))?;
    Checkpoint::parse(&payload)
}

#[cfg(test)]
mod tests;
