//! The harness for database tests, used as a test uses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Instant;

use jobengine_store::testing::TestDatabase;
use tokio_postgres::{Config, NoTls};

async fn migrate(config: Config) -> Result<(), tokio_postgres::Error> {
    let sql =
        "CREATE ROLE orch_app LOGIN; CREATE ROLE orch_sched LOGIN; CREATE TABLE seen (word text);
               GRANT ALL ON seen TO orch_app, orch_sched";
    run(&config, sql).await
}

async fn run(config: &Config, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let work = async move { client.batch_execute(sql).await };
    tokio::join!(work, connection).0
}

async fn number(config: &Config, sql: &str) -> i64 {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let work = async move { client.query_one(sql, &[]).await.unwrap().get(0) };
    tokio::join!(work, connection).0
}

/// Each test has its own runtime, as under `cargo test`; the server outlives them.
async fn check(word: &str) {
    let start = Instant::now();
    let database = TestDatabase::create_with(migrate).await;
    println!("database {}: {:?}", database.name(), start.elapsed());
    assert_eq!(
        number(&database.app_config(), "SELECT count(*) FROM seen").await,
        0
    );
    run(
        &database.app_config(),
        &format!("INSERT INTO seen VALUES ('{word}')"),
    )
    .await
    .unwrap();
    assert_eq!(
        number(&database.sched_config(), "SELECT count(*) FROM seen").await,
        1
    );
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname IN ('orch_app', 'orch_sched') AND NOT rolsuper";
    assert_eq!(number(&database.super_config(), roles).await, 2);
}

#[tokio::test]
async fn one_test_sees_only_its_own_rows() {
    for _ in 0..10 {
        check("one").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_test_sees_only_its_own_rows() {
    for _ in 0..10 {
        check("another").await;
    }
}

#[tokio::test]
async fn a_database_is_dropped_with_its_value() {
    let kept = TestDatabase::create_with(migrate).await;
    let name = {
        let database = TestDatabase::create_with(migrate).await;
        database.name().to_owned()
    };
    let sql = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let start = Instant::now();
    while number(&kept.super_config(), &sql).await > 0 {
        assert!(start.elapsed().as_secs() < 20, "{name} is still there");
    }
}

#[tokio::test]
async fn an_empty_database_has_no_tables() {
    let database = TestDatabase::empty().await;
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(number(&database.super_config(), sql).await, 0);
}
