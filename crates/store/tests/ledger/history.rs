//! The history of jobs goes by the week, once nothing keeps it.

use jobengine_domain::class::FailureClass;
use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::id::JobId;
use jobengine_domain::state::Report;
use jobengine_domain::time::Timestamp;
use jobengine_store::HistoryTrimmed;
use tokio_postgres::NoTls;

use super::house::{Ledger, child, failed, job};

/// Everything that a job is written to.
const PLACES: [(&str, &str); 10] = [
    ("job", "job_id"),
    ("job_tag", "job_id"),
    ("attempt", "job_id"),
    ("outcome", "job_id"),
    ("artifact", "job_id"),
    ("dead_letter", "job_id"),
    ("edge", "parent_id"),
    ("edge", "child_id"),
    ("ready", "job_id"),
    ("lease", "job_id"),
];

impl Ledger {
    /// Makes some jobs as old as that many weeks, of all jobs that there are.
    async fn age(&self, jobs: &[JobId], weeks: u32) {
        let start = format!(
            "(date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '{weeks} weeks')"
        );
        let mut sql =
            vec!["SET search_path = orch; SET session_replication_role = replica;".to_owned()];
        for table in ["job", "job_tag", "attempt", "outcome"] {
            sql.push(format!(
                "DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS {table}_old{weeks} PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
                    uuid_floor({start}), uuid_floor({start} + interval '1 week')); END $$;
                 ALTER TABLE {table}_old{weeks} OWNER TO orch_owner;"
            ));
        }
        let list: Vec<String> = jobs.iter().map(|job| format!("'{job}'")).collect();
        let list = list.join(", ");
        for (table, column) in PLACES {
            sql.push(format!(
                "UPDATE {table} SET {column} = (left(uuid_floor({start} + interval '3 days')::text, 13) || substr({column}::text, 14))::uuid
                 WHERE {column} IN ({list});"
            ));
        }
        self.sql(&sql.concat()).await;
    }

    async fn trim(&self) -> HistoryTrimmed {
        let end = Timestamp::from_micros(i64::MAX / 2);
        self.store.history_trim(end).await.unwrap()
    }

    /// Trims until nothing goes any more; how many rows and weeks went.
    async fn trim_all(&self) -> (u64, u64) {
        let mut gone = (0, 0);
        loop {
            let HistoryTrimmed { rows, weeks } = self.trim().await;
            gone = (gone.0 + rows, gone.1 + weeks);
            if rows == 0 {
                return gone;
            }
        }
    }

    /// How many rows are left of each kind: jobs, outcomes, artifacts, edges, dead letters.
    async fn left(&self) -> [i64; 5] {
        let (client, connection) = self.database.super_config().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        let mut left = [0; 5];
        let tables = ["job", "outcome", "artifact", "edge", "dead_letter"];
        for (left, table) in left.iter_mut().zip(tables) {
            let sql = format!("SELECT count(*) FROM orch.{table}");
            *left = client.query_one(&sql, &[]).await.unwrap().get(0);
        }
        left
    }
}

#[tokio::test]
async fn a_week_goes_whole_with_what_lies_beside_it() {
    let ledger = Ledger::open().await;
    // Old: a parent with an artifact and its child. Young: one that has ended, too.
    let (_, family) = ledger
        .run(&[job(), child(&[(0, EdgePolicy::Require)])])
        .await;
    let grant = ledger.claim(1).await.remove(0);
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    tx.artifact_put(grant.job, grant.fence, "a.txt", "text/plain", b"body")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    ledger.report(&grant, Report::Succeeded).await;
    let grant = ledger.claim(1).await.remove(0);
    ledger.report(&grant, Report::Succeeded).await;
    ledger.submit(&[job()]).await;
    let grant = ledger.claim(1).await.remove(0);
    ledger.report(&grant, Report::Succeeded).await;
    assert_eq!(ledger.left().await, [3, 3, 1, 1, 0]);
    ledger.age(&family, 12).await;
    // Kept long enough is for who asks to say, but for the last week.
    let early = Timestamp::from_micros(0);
    let nothing = HistoryTrimmed { rows: 0, weeks: 0 };
    assert_eq!(ledger.store.history_trim(early).await.unwrap(), nothing);

    assert_eq!(ledger.trim().await, HistoryTrimmed { rows: 2, weeks: 0 });
    assert_eq!(ledger.trim().await, HistoryTrimmed { rows: 0, weeks: 1 });
    assert_eq!(ledger.trim().await, nothing);
    assert_eq!(ledger.left().await, [1, 1, 0, 0, 0]);
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    assert!(tx.job_find(family[0]).await.unwrap().is_none());
}

#[tokio::test]
async fn a_week_stays_while_something_keeps_it() {
    let ledger = Ledger::open().await;
    let runs = ledger.submit(&[job()]).await;
    ledger.claim(1).await;
    ledger.age(&runs, 19).await;
    ledger.submit(&[job()]).await;
    let grant = ledger.claim(1).await.remove(0);
    ledger.report(&grant, failed(FailureClass::Policy)).await;
    ledger.age(&[grant.job], 18).await;
    let waits = ledger.submit(&[job()]).await;
    ledger.age(&waits, 20).await;
    assert_eq!(ledger.left().await, [3, 1, 0, 0, 1]);
    assert_eq!(ledger.trim_all().await, (0, 0));
    ledger
        .sql("ALTER TABLE orch.dead_letter DROP CONSTRAINT decided_is_whole; UPDATE orch.dead_letter SET decision = 'discarded'")
        .await;
    assert_eq!(ledger.trim_all().await, (1, 1));
    ledger.sql("DELETE FROM orch.lease").await;
    assert_eq!(ledger.trim_all().await, (0, 1));
    assert_eq!(ledger.left().await, [1, 0, 0, 0, 0]);
    ledger.sql("DELETE FROM orch.ready").await;
    assert_eq!(ledger.trim_all().await, (0, 1));
    assert_eq!(ledger.left().await, [0; 5]);
}

/// A reader keeps its week, and the trim does not wait for it.
#[tokio::test]
async fn a_week_that_is_being_read_is_left_for_the_next_time() {
    let ledger = Ledger::open().await;
    ledger.submit(&[job()]).await;
    let grant = ledger.claim(1).await.remove(0);
    ledger.report(&grant, Report::Succeeded).await;
    ledger.age(&[grant.job], 12).await;
    let (reader, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    reader
        .batch_execute("BEGIN; SELECT FROM orch.job")
        .await
        .unwrap();
    assert_eq!(ledger.trim_all().await, (0, 0));
    assert_eq!(ledger.left().await, [1, 1, 0, 0, 0]);
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ledger.trim_all().await, (0, 1));
}
