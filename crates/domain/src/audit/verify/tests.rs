use super::*;
use crate::audit::export;
use crate::audit::seal::{Head, seal};
use crate::dsse::SigningKey;
use crate::id::{AuditId, TenantId};
use crate::time::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

const ORIGIN: &str = "urn:uuid:00000000-0000-0000-0000-0000000000aa";
const TENANT: TenantId = TenantId(Uuid::from_u128(0xa11ce));

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32]).unwrap()
}

fn row(number: u64, reason: &str) -> AuditRow {
    AuditRow {
        audit_id: AuditId(Uuid::from_u128(u128::from(number))),
        tenant_id: TENANT,
        occurred_at: Timestamp::from_micros(1_767_225_600_000_000 + number.cast_signed()),
        subject: "olga \u{1f980}\u{1}".to_owned(),
        credential: "jwt:0a1b2c3d".to_owned(),
        operation: "cancelJob".to_owned(),
        scope: "orch:operate".to_owned(),
        object_kind: "job".to_owned(),
        object_id: number.to_string(),
        before_digest: None,
        after_digest: Some(Digest::of(b"after")),
        reason: Some(reason.to_owned()),
        ticket: None,
        request_id: format!("req-{number}"),
        correlation_id: "c-1".to_owned(),
        source: Some("192.0.2.7".to_owned()),
    }
}

/// A chain that is sealed batch by batch, as an export would write it.
#[derive(Clone)]
struct Log {
    head: Head,
    lines: Vec<Vec<u8>>,
    checkpoints: Vec<Checkpoint>,
}

impl Log {
    fn new() -> Self {
        Self {
            head: Head::genesis(TENANT),
            lines: Vec::new(),
            checkpoints: Vec::new(),
        }
    }

    fn batch(mut self, rows: u64, reason: &str, epoch: u64) -> Self {
        let size = self.head.size;
        let rows: Vec<_> = (size + 1..=size + rows)
            .map(|number| row(number, reason))
            .collect();
        let now = Timestamp::from_micros(1_767_225_700_000_000);
        let batch = seal(&self.head, &rows, ORIGIN, TENANT, epoch, now).unwrap();
        for (row, seal) in rows.iter().zip(&batch.seals) {
            self.lines.push(export::row(row, seal));
        }
        let checkpoint = batch.checkpoint;
        self.lines
            .push(export::checkpoint(&checkpoint.sign(&key(1))));
        self.head = Head {
            size: checkpoint.size,
            hash: checkpoint.head,
            checkpoint: Some(checkpoint.digest()),
            epoch,
        };
        self.checkpoints.push(checkpoint);
        self
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        let header = export::header(&export::Header {
            origin: ORIGIN.to_owned(),
            tenant: TENANT,
            first: 1,
            last: self.head.size,
        });
        [vec![header], self.lines.clone()].concat()
    }
}

/// Batches of 3, 1 and 4 rows: lines 2–4, checkpoint, 6, checkpoint, 8–11, checkpoint.
fn sound() -> Log {
    Log::new()
        .batch(3, "because", 5)
        .batch(1, "because", 5)
        .batch(4, "because", 7)
}

fn verify(bytes: &[u8], held: &[Checkpoint]) -> Verdict {
    let mut verifier = Verifier::new(&[key(1).public()], held.to_vec());
    verifier.feed(bytes);
    verifier.finish()
}

fn found(lines: &[Vec<u8>], held: &[Checkpoint]) -> Vec<(Fault, Option<u64>)> {
    let verdict = verify(&lines.concat(), held);
    let findings = &verdict.findings;
    assert_eq!(verdict.sound, findings.is_empty());
    findings
        .iter()
        .map(|finding| (finding.fault, finding.first))
        .collect()
}

/// Changes the lines of a sound export (line 0 is the header) and holds what is found against what is
/// expected: faults with the number of the row they are about.
fn check(change: impl FnOnce(&mut Vec<Vec<u8>>), expected: &[(Fault, Option<u64>)]) {
    let mut lines = sound().lines();
    change(&mut lines);
    assert_eq!(found(&lines, &[]), expected);
}

fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(line).unwrap();
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}

#[test]
fn a_sound_export_is_sound() {
    check(|_| {}, &[]);
    let log = sound();
    let verdict = verify(&log.lines().concat(), &log.checkpoints);
    assert!(verdict.sound);
    assert_eq!(
        (
            verdict.rows,
            verdict.checkpoints,
            verdict.held,
            verdict.last
        ),
        (8, 3, 3, 8)
    );
    assert_eq!(
        verdict.keys.into_iter().collect::<Vec<_>>(),
        [key(1).public().key_id()]
    );
    assert_eq!(found(&Log::new().lines(), &[]), []);
}

#[test]
fn an_edited_row_is_named() {
    check(
        |lines| lines[2] = replaced(&lines[2], "because", "by mistake"),
        &[(Fault::Edited, Some(2))],
    );
    check(
        |lines| lines[8] = replaced(&lines[8], "192.0.2.7", "192.0.2.8"),
        &[(Fault::Edited, Some(6))],
    );
    // The hash beside the row says nothing by itself.
    check(
        |lines| {
            let other = Digest::of(b"other").hex();
            let text = String::from_utf8(lines[3].clone()).unwrap();
            let hash = text[16..80].to_owned();
            lines[3] = replaced(&lines[3], &hash, &other);
        },
        &[(Fault::Edited, Some(3))],
    );
}

#[test]
fn a_removed_row_is_named() {
    check(|lines| drop(lines.remove(2)), &[(Fault::Removed, Some(2))]);
    check(
        |lines| drop(lines.drain(8..10)),
        &[(Fault::Removed, Some(6))],
    );
    // The last of a batch.
    check(|lines| drop(lines.remove(3)), &[(Fault::Removed, Some(1))]);
    // With the numbers after it closed up, the chain breaks where it was.
    let renumber = |lines: &mut Vec<Vec<u8>>| {
        lines.remove(8);
        lines[8] = replaced(&lines[8], "\"sequence\":7", "\"sequence\":6");
        lines[9] = replaced(&lines[9], "\"sequence\":8", "\"sequence\":7");
    };
    check(renumber, &[(Fault::Removed, Some(5))]);
}

#[test]
fn an_inserted_row_is_found() {
    let insert = |lines: &mut Vec<Vec<u8>>| {
        let seal = crate::audit::seal::Seal {
            sequence: 4,
            hash: Digest::of(b"made up"),
        };
        lines.insert(4, export::row(&row(99, "because"), &seal));
    };
    check(insert, &[(Fault::Inserted, Some(1))]);
    check(
        |lines| lines.insert(3, lines[2].clone()),
        &[(Fault::Duplicated, Some(2))],
    );
}

#[test]
fn reordered_rows_are_named() {
    check(|lines| lines.swap(1, 2), &[(Fault::Reordered, Some(1))]);
    // Exchanged, and each given the other's number.
    let exchange = |lines: &mut Vec<Vec<u8>>| {
        let (second, third) = (lines[2].clone(), lines[3].clone());
        lines[2] = replaced(&third, "\"sequence\":3", "\"sequence\":2");
        lines[3] = replaced(&second, "\"sequence\":2", "\"sequence\":3");
    };
    check(
        exchange,
        &[(Fault::Edited, Some(2)), (Fault::Edited, Some(3))],
    );
}

#[test]
fn a_file_that_was_cut_is_known() {
    check(
        |lines| {
            lines.pop();
        },
        &[(Fault::Uncovered, Some(5))],
    );
    check(|lines| lines.truncate(7), &[(Fault::CutShort, None)]);
    check(|lines| lines.truncate(9), &[(Fault::Uncovered, Some(5))]);
    check(
        |lines| {
            let last = lines.last_mut().unwrap();
            last.truncate(last.len() / 2);
        },
        &[(Fault::CutShort, None), (Fault::Uncovered, Some(5))],
    );
    check(Vec::clear, &[(Fault::CutShort, None)]);
    check(
        |lines| drop(lines.remove(5 - 1)),
        &[(Fault::CheckpointOrder, Some(4))],
    );
}

#[test]
fn what_was_signed_by_another_key_is_not_believed() {
    let resign = |lines: &mut Vec<Vec<u8>>, number: u8| {
        lines[4] = export::checkpoint(&sound().checkpoints[0].sign(&key(number)));
    };
    check(|lines| resign(lines, 1), &[]);
    check(|lines| resign(lines, 2), &[(Fault::WrongKey, None)]);
    // All of history rewritten and signed by somebody else.
    let forged = Log::new().batch(8, "a better reason", 9);
    let mut lines = forged.lines();
    lines[9] = export::checkpoint(&forged.checkpoints[0].sign(&key(2)));
    assert_eq!(found(&lines, &[]), [(Fault::WrongKey, None)]);
}

#[test]
fn rewritten_rows_do_not_fit_the_signature() {
    let forged = Log::new().batch(3, "a better reason", 5);
    check(
        |lines| lines[1..4].clone_from_slice(&forged.lines()[1..4]),
        &[(Fault::Rewritten, Some(1))],
    );
}

#[test]
fn another_tenant_or_installation_is_refused() {
    let other = TenantId(Uuid::from_u128(0xb0b)).to_string();
    let tenant = TENANT.to_string();
    check(
        |lines| lines[2] = replaced(&lines[2], &tenant, &other),
        &[(Fault::WrongTenant, Some(2)), (Fault::Edited, Some(2))],
    );
    let mut lines = sound().lines();
    lines[0] = replaced(&lines[0], &tenant, &other);
    let faults = found(&lines, &[]);
    assert!(
        faults.contains(&(Fault::WrongTenant, Some(1))),
        "{faults:?}"
    );
    check(
        |lines| lines[0] = replaced(&lines[0], "00aa", "00ab"),
        &[(Fault::WrongOrigin, None); 3],
    );
    let mut held = sound().checkpoints[0].clone();
    held.tenant = TenantId(Uuid::nil());
    assert_eq!(
        found(&sound().lines(), &[held]),
        [(Fault::WrongTenant, None)]
    );
}

/// The database is restored to an older state, and life goes on from there.
#[test]
fn a_rollback_is_found_by_a_checkpoint_held_outside() {
    let held = &sound().checkpoints[2..];
    let restored = Log::new().batch(3, "because", 5);
    assert_eq!(found(&restored.lines(), &[]), [], "nobody could know");
    assert_eq!(
        found(&restored.lines(), held),
        [(Fault::RolledBack, Some(4))]
    );
    let continued = restored.batch(9, "another life", 8);
    assert_eq!(found(&continued.lines(), held), [(Fault::Forked, Some(8))]);
    assert_eq!(found(&continued.lines(), &sound().checkpoints[..1]), []);
}

#[test]
fn epochs_never_fall() {
    let log = sound().batch(1, "because", 6);
    assert_eq!(found(&log.lines(), &[]), [(Fault::EpochFell, Some(9))]);
}

#[test]
fn a_part_begins_with_the_checkpoint_before_it() {
    let log = sound();
    let header = export::header(&export::Header {
        origin: ORIGIN.to_owned(),
        tenant: TENANT,
        first: 5,
        last: 8,
    });
    let anchor = export::anchor(&log.checkpoints[1].sign(&key(1)));
    let rows = log.lines()[7..].to_vec();
    let part = [vec![header.clone(), anchor], rows.clone()].concat();
    assert_eq!(found(&part, &log.checkpoints[1..]), []);
    assert_eq!(
        found(&part, &log.checkpoints[..1]),
        [(Fault::NotCompared, None)]
    );
    assert_eq!(
        found(&[vec![header.clone()], rows.clone()].concat(), &[])[0],
        (Fault::CheckpointOrder, Some(5))
    );
    let wrong = export::anchor(&log.checkpoints[0].sign(&key(1)));
    assert_eq!(
        found(&[vec![header, wrong], rows].concat(), &[])[0],
        (Fault::CheckpointOrder, None)
    );
}

#[test]
fn a_line_without_end_is_not_kept() {
    let mut bytes = sound().lines()[0].clone();
    bytes.resize(bytes.len() + LINE_MAX_BYTES + 1, b'x');
    bytes.push(b'\n');
    let verdict = verify(&bytes, &[]);
    assert_eq!(verdict.findings[0].fault, Fault::Malformed);
    assert_eq!(verdict.findings[0].line, Some(2));
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes: Vec<u8>, text in "(\\{\"(header|row|checkpoint|anchor)\":\\{[a-z\":0-9,]{0,40}\\}\\}\n){0,5}") {
        prop_assert!(!verify(&bytes, &[]).sound);
        prop_assert!(!verify(text.as_bytes(), &[]).sound);
    }

    #[test]
    fn every_changed_byte_is_found(at: prop::sample::Index, to: u8) {
        let mut bytes = sound().lines().concat();
        let at = at.index(bytes.len());
        // A key's name in an envelope is a hint that no signature covers (DSSE, "keyid").
        let hint = bytes.windows(9).enumerate().filter(|(_, part)| *part == b"\"keyid\":\"")
            .any(|(start, _)| (start + 9..start + 9 + 71).contains(&at));
        prop_assume!(bytes[at] != to && !hint);
        bytes[at] = to;
        prop_assert!(!verify(&bytes, &[]).sound);
    }

    #[test]
    fn however_the_bytes_are_cut(sizes in prop::collection::vec(1_usize..400, 1..40), edit: bool) {
        let mut lines = sound().lines();
        if edit {
            lines.remove(3);
        }
        let bytes = lines.concat();
        let mut verifier = Verifier::new(&[key(1).public()], vec![]);
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*size).min(rest.len()));
            verifier.feed(part);
            rest = after;
        }
        prop_assert_eq!(verifier.finish(), verify(&bytes, &[]));
    }
}
