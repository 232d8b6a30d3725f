//! Sealing: what the database refuses, whoever asks.

use std::time::Duration;

use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::{BATCH_MAX, Batch, Refused, seal};
use jobengine_domain::dsse::{Envelope, SigningKey};
use jobengine_domain::leader::Bid;
use jobengine_store::{Act, AuditFilter, Effect, Place, SEALER, SealError, Tx};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::house::Ledger;

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);

struct Prepared {
    batch: Batch,
    envelope: Envelope,
    places: Vec<Place>,
}

impl Ledger {
    pub(crate) async fn act(&self, object: &str) {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let act = Act {
            subject: "olga".into(),
            credential: "jwt:0a1b2c3d".into(),
            operation: "job_cancel".into(),
            scope: "orch:operate".into(),
            reason: Some("because".into()),
            ticket: None,
            request_id: "request-1".into(),
            correlation_id: "c".into(),
            source: Some([192, 0, 2, 7].into()),
            key: None,
        };
        let effect = Effect {
            act: &act,
            object_kind: "job",
            object_id: object,
            before: None,
            after: None,
            status: 200,
            answer: Vec::new(),
        };
        tx.acts_record(&[effect]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn lead(&self, replica: Uuid) -> Bid {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let bid = tx.leader_bid(SEALER, replica).await.unwrap();
        tx.commit().await.unwrap();
        bid
    }

    async fn take(&self, replica: Uuid) -> u64 {
        match self.lead(replica).await {
            Bid::Take(leader) => leader.epoch,
            other => panic!("{other:?}"),
        }
    }

    /// Rows that no open transaction can precede any more: of whichever database of the cluster it is,
    /// so tests that run meanwhile are waited for.
    async fn unsealed(&self, tx: &Tx, after: &Place) -> Vec<(Place, AuditRow)> {
        for _ in 0..200 {
            let rows = tx.audit_unsealed(after, BATCH_MAX).await.unwrap();
            if !rows.is_empty() {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no row may be sealed");
    }

    async fn prepare(&self, epoch: u64) -> Prepared {
        self.prepare_some(epoch, BATCH_MAX as usize).await
    }

    async fn prepare_some(&self, epoch: u64, most: usize) -> Prepared {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let end = tx.audit_end().await.unwrap();
        let mut rows = self.unsealed(&tx, &end.place).await;
        rows.truncate(most);
        let (places, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let origin = tx.audit_origin().await.unwrap();
        let batch = seal(&end.head, &rows, &origin, tx.tenant(), epoch, tx.now()).unwrap();
        tx.commit().await.unwrap();
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        Prepared {
            envelope: batch.checkpoint.sign(&key),
            batch,
            places,
        }
    }

    async fn append(&self, it: &Prepared) -> Result<(), Refused> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        match tx.audit_append(&it.batch, &it.envelope, &it.places).await {
            Ok(()) => {
                tx.commit().await.unwrap();
                Ok(())
            }
            Err(SealError::Refused(refused)) => Err(refused),
            Err(SealError::Store(error)) => panic!("{error}"),
        }
    }

    /// Lets the leader's time pass.
    async fn lapse(&self) {
        self.sql("UPDATE orch.leader SET until = clock_timestamp() - interval '1 s'")
            .await;
    }
}

#[tokio::test]
async fn of_two_sealers_that_overlap_one_is_refused() {
    let ledger = Ledger::open().await;
    ledger.act("1").await;
    let first = ledger.take(ONE).await;
    assert!(matches!(ledger.lead(TWO).await, Bid::Wait(_)));
    let asleep = ledger.prepare(first).await;
    ledger.lapse().await;
    // Nobody leads: the sleeper is refused although nobody has taken over yet.
    let not_leader = Err(Refused::NotLeader { mine: first });
    assert_eq!(ledger.append(&asleep).await, not_leader);
    let second = ledger.take(TWO).await;
    assert!(second > first);
    assert_eq!(ledger.append(&asleep).await, not_leader);
    let awake = ledger.prepare(second).await;
    assert_eq!(ledger.append(&awake).await, Ok(()));
    assert_eq!(ledger.append(&asleep).await, not_leader);
    // Under the same epoch, too, a place is given once.
    let moved = Err(Refused::Moved {
        expected: 0,
        found: 1,
    });
    assert_eq!(ledger.append(&awake).await, moved);
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let sealed = tx.audit_sealed(1, 9).await.unwrap();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].1, awake.batch.seals[0]);
}

#[tokio::test]
async fn two_batches_at_the_same_moment_do_not_stand_in_one_place() {
    let ledger = Ledger::open().await;
    ledger.act("1").await;
    let epoch = ledger.take(ONE).await;
    let (one, two) = (ledger.prepare(epoch).await, ledger.prepare(epoch).await);
    let (one, two) = tokio::join!(ledger.append(&one), ledger.append(&two));
    let moved = Err(Refused::Moved {
        expected: 0,
        found: 1,
    });
    assert!(
        (one, two) == (Ok(()), moved) || (one, two) == (moved, Ok(())),
        "{one:?} {two:?}"
    );
}

#[tokio::test]
async fn a_row_is_sealed_only_when_no_earlier_one_can_appear() {
    let ledger = Ledger::open().await;
    let slow = ledger.store.begin(&ledger.caller).await.unwrap();
    slow.audit_origin().await.unwrap();
    // It has a number now, lower than that of the act below.
    slow.leader_bid("another", ONE).await.unwrap();
    ledger.act("1").await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let unsealed = tx.audit_unsealed(&Place::start(), 9).await.unwrap();
    assert!(unsealed.is_empty());
    slow.commit().await.unwrap();
    assert_eq!(ledger.unsealed(&tx, &Place::start()).await.len(), 1);
}

#[tokio::test]
async fn nobody_can_change_what_was_sealed() {
    let ledger = Ledger::open().await;
    let (client, connection) = ledger
        .database
        .app_config()
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    for table in ["audit", "audit_seal", "audit_checkpoint"] {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("UPDATE {table} SET tenant_id = tenant_id"),
            format!("TRUNCATE {table}"),
        ] {
            let error = client.batch_execute(&sql).await.unwrap_err();
            assert_eq!(
                error.code(),
                Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
                "{sql}"
            );
        }
    }
}

/// As after `pg_dump` into a new cluster: rows have the numbers of transactions that it has not begun.
#[tokio::test]
async fn sealing_goes_on_after_a_restore_from_a_dump() {
    let ledger = Ledger::open().await;
    ledger.act("1").await;
    let epoch = ledger.take(ONE).await;
    let batch = ledger.prepare(epoch).await;
    ledger.append(&batch).await.unwrap();
    ledger.act("2").await;
    ledger
        .sql(
            "UPDATE orch.audit SET txid = (txid::text::bigint + 1000000)::text::xid8;
             UPDATE orch.audit_seal SET txid = (txid::text::bigint + 1000000)::text::xid8;
             UPDATE orch.audit_checkpoint SET txid = (txid::text::bigint + 1000000)::text::xid8",
        )
        .await;
    ledger.act("3").await;
    for expected in [2, 3] {
        let tenants = ledger.store.tenants_unsealed().await.unwrap();
        assert_eq!(tenants, [ledger.caller.tenant]);
        let mut batch = ledger.prepare(epoch).await;
        // One row at a time: the first is of the time before.
        if batch.places.len() > 1 {
            batch = ledger.prepare_some(epoch, 1).await;
        }
        assert_eq!(batch.batch.checkpoint.size, expected);
        ledger.append(&batch).await.unwrap();
    }
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let sealed = tx.audit_sealed(1, 9).await.unwrap();
    let objects: Vec<_> = sealed
        .iter()
        .map(|(row, _)| row.object_id.as_str())
        .collect();
    assert_eq!(objects, ["1", "2", "3"]);
}

/// A search looks at a bounded number of rows, says where it stopped, and finds what lies far below.
#[tokio::test]
async fn a_search_of_the_trail_is_bounded_and_goes_on_where_it_stopped() {
    let ledger = Ledger::open().await;
    let fill = "INSERT INTO orch.audit (tenant_id, audit_id, occurred_at, subject, credential, operation, scope,
            object_kind, object_id, request_id, correlation_id)
        SELECT tenant_id, overlay(orch.uuid_floor(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid, at,
            CASE n WHEN 1 THEN 'somebody' ELSE 'others' END, 'key:1', 'job_submit', 'orch:submit', 'job', n::text, 'r', 'c'
        FROM orch.tenant, generate_series(1, 50050) AS n,
            LATERAL (SELECT now() - interval '2 h' + n * interval '100 ms') AS moment (at)
        WHERE name = 'a';
        ANALYZE orch.audit";
    let (client, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(fill).await.unwrap();
    let mut filter = AuditFilter {
        subject: Some("somebody".into()),
        limit: 10,
        ..AuditFilter::default()
    };
    let search = async |filter: &AuditFilter| {
        let tx = ledger.store.read(&ledger.caller).await.unwrap();
        let found = tx.audit_list(filter).await.unwrap();
        tx.commit().await.unwrap();
        found
    };
    let (found, resume) = search(&filter).await;
    assert!(found.is_empty());
    filter.below = Some(resume.unwrap());
    let (found, resume) = search(&filter).await;
    assert_eq!((found.len(), resume), (1, None));
    // Whoever says when, finds it at once.
    let at = found[0].row.occurred_at;
    filter.below = None;
    filter.until = Some(at.plus_ms(1));
    assert_eq!(search(&filter).await.0.len(), 1);
    filter.from = Some(at);
    assert_eq!(search(&filter).await, (found, None));
    filter.until = Some(at);
    assert!(search(&filter).await.0.is_empty());
}
