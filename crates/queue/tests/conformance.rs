//! What every queue promises, held against each of them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use jobengine_domain::id::TenantId;
use jobengine_queue::{Hint, Local, Postgres, Queue, Ready};
use jobengine_store::ReadyJobs;
use jobengine_store::testing::TestDatabase;
use tokio::time::timeout;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const OTHER: TenantId = TenantId(Uuid::from_u128(2));

fn jobs(job_type: &str, from: i64, jobs: u32) -> ReadyJobs {
    ReadyJobs {
        job_type: job_type.to_owned(),
        from,
        jobs,
    }
}

fn hint(tenant: TenantId, ready: ReadyJobs) -> Vec<Hint> {
    Hint::jobs(tenant, vec![ready])
}

/// A hint said at `from` is heard at `to`, by its tenant and nobody else, and hints are folded.
async fn conforms(from: &dyn Queue, to: &dyn Queue) {
    let listener = to.listen(TENANT);
    let stranger = to.listen(OTHER);
    // What was said when the line opened is not part of the promise.
    let _ = timeout(Duration::from_millis(300), listener.hear()).await;
    let _ = timeout(Duration::from_millis(1), stranger.hear()).await;

    from.announce(&hint(TENANT, jobs("a", 7, 1)));
    let heard = timeout(Duration::from_secs(5), listener.hear())
        .await
        .unwrap();
    assert_eq!(heard, [Ready::Jobs(jobs("a", 7, 1))]);

    from.announce(&[Hint::anything(TENANT)]);
    let heard = timeout(Duration::from_secs(5), listener.hear())
        .await
        .unwrap();
    assert_eq!(heard, [Ready::Anything]);

    // Said before anybody waits: kept, and folded by type.
    from.announce(&hint(TENANT, jobs("a", 9, 2)));
    from.announce(&hint(TENANT, jobs("a", 4, 1)));
    from.announce(&hint(TENANT, jobs("b with space", -1, 1)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let heard = timeout(Duration::from_secs(5), listener.hear())
        .await
        .unwrap();
    assert_eq!(
        heard,
        [
            Ready::Jobs(jobs("a", 4, 3)),
            Ready::Jobs(jobs("b with space", -1, 1))
        ]
    );

    assert!(
        timeout(Duration::from_millis(100), stranger.hear())
            .await
            .is_err(),
        "another tenant's hint was heard"
    );
    assert!(
        timeout(Duration::from_millis(1), listener.hear())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn local_conforms() {
    let local = Local::new();
    conforms(&local, &local).await;
}

#[tokio::test]
async fn postgres_conforms_within_one_process() {
    let database = TestDatabase::create().await;
    let queue = Postgres::start(database.store().await, "one");
    conforms(&queue, &queue).await;
}

#[tokio::test]
async fn postgres_conforms_between_processes() {
    let database = TestDatabase::create().await;
    let one = Postgres::start(database.store().await, "one");
    let two = Postgres::start(database.store().await, "two");
    conforms(&one, &two).await;
}

#[tokio::test]
async fn postgres_comes_back_and_says_that_something_may_have_been_missed() {
    let database = TestDatabase::create().await;
    let one = Postgres::start(database.store().await, "one");
    let two = Postgres::start(database.store().await, "two");
    let listener = two.listen(TENANT);
    let _ = timeout(Duration::from_millis(300), listener.hear()).await;

    let (client, connection) = database
        .super_config()
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let ended = client
        .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap();
    assert!(ended.len() >= 2);

    let heard = timeout(Duration::from_secs(5), listener.hear())
        .await
        .unwrap();
    assert_eq!(heard, [Ready::Anything]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    one.announce(&hint(TENANT, jobs("a", 1, 1)));
    let heard = timeout(Duration::from_secs(5), listener.hear())
        .await
        .unwrap();
    assert!(heard.contains(&Ready::Jobs(jobs("a", 1, 1))));
}
