//! A ledger that was filled under an older version of the schema is brought up to date with all that is in it.

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_store::testing::TestDatabase;
use jobengine_store::{VexFilter, migrate};
use tokio_postgres::NoTls;
use uuid::Uuid;

/// The last version that was published before this one.
const PUBLISHED: i32 = 12;
const TENANT: &str = "00000000-0000-0000-0000-00000000000a";

/// Rows of every table that has changed since.
fn fill() -> String {
    let sql = "SET search_path = orch; SET session_replication_role = replica;
        INSERT INTO tenant (tenant_id, name, created_at) VALUES ('{T}', 'a', now());
        INSERT INTO tenant_clock (tenant_id) VALUES ('{T}');
        INSERT INTO source (tenant_id, source_id, name, created_at) VALUES ('{T}', '{T}', 'hub', now());
        INSERT INTO document (tenant_id, digest, kind, body, created_at) VALUES ('{T}', sha256('[]'), 'vex', '[]', now());
        INSERT INTO vex (tenant_id, source_id, document_id, digest) SELECT '{T}', '{T}', 'https://v/' || i, sha256('[]')
            FROM generate_series(1, 3) i;
        INSERT INTO sbom (tenant_id, digest, format, components, created_at) VALUES ('{T}', sha256('s'), 'f', '{}', now());
        INSERT INTO run (tenant_id, run_id, trigger, state, correlation_id, jobs_total, created_at)
            VALUES ('{T}', '{T}', 'delta', 'queued', 'c', 1, now());
        INSERT INTO impact_run (tenant_id, run_id, generation, mode, priority, plan_digest, inputs_digest, packages, segments,
            images_impacted, images_total, advisories_changed, created_at)
            VALUES ('{T}', '{T}', 1, 'analysisOnly', 'normal', sha256('p'), sha256('i'), '{}', 1, 1, 1, 1, now());
        INSERT INTO outcome (tenant_id, job_id, state, attempt, ended_at) VALUES ('{T}', '{T}', 'canceled', 0, now());
        INSERT INTO change (tenant_id, change_id, kind, source_id, subject, after, created_at)
            VALUES ('{T}', '{T}', 'vex', '{T}', 'https://v/1', sha256('[]'), now());";
    sql.replace("{T}", TENANT)
}

#[tokio::test]
async fn what_was_stored_before_is_there_afterwards() {
    let database = TestDatabase::empty().await;
    database.migrate_to(PUBLISHED).await;
    let (client, connection) = database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&fill()).await.unwrap();
    let made = migrate(&database.super_config()).await.unwrap();
    assert!(!made.is_empty());
    assert!(migrate(&database.super_config()).await.unwrap().is_empty());

    let store = database.store().await;
    assert_eq!(store.schema_complaint().await.unwrap(), None);
    let caller = Caller::system(TenantId(Uuid::from_u128(0xa)));
    let tx = store.begin(&caller).await.unwrap();
    let all = tx.vex_page(&VexFilter::default(), None, 10).await.unwrap();
    let found: Vec<_> = all
        .iter()
        .map(|entry| {
            (
                entry.record.location.as_str(),
                entry.record.document.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        ["https://v/1", "https://v/2", "https://v/3"].map(|id| (id, id))
    );
    let runs = tx.impact_run_list(None, 10).await.unwrap();
    assert_eq!(
        (runs[0].images_not_evaluated, runs[0].images_owed),
        (None, 0)
    );
    let put = tx.vex_put(all[0].record.source, "https://v/1", "https://v/1", &[]);
    assert!(!put.await.unwrap().changed);
}
