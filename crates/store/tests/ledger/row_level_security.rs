//! Each known way around row-level security, shut.

use std::collections::BTreeSet;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_store::testing::TestDatabase;
use jobengine_store::{Store, StoreError};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use crate::house::{Ledger, job};

async fn connect(config: Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(client: &Client, sql: &str) -> i64 {
    client
        .query_one(&format!("SELECT count(*) FROM ({sql}) t"), &[])
        .await
        .unwrap()
        .get(0)
}

/// Two tenants, each with a job in the ledger.
async fn two_tenants() -> (Ledger, Caller) {
    let ledger = Ledger::open().await;
    ledger.run(&[job()]).await;
    let other = Caller::system(TenantId(Uuid::from_u128(0xb)));
    ledger
        .store
        .tenant_create(other.tenant, "b", 1)
        .await
        .unwrap();
    let tx = ledger.store.begin(&other).await.unwrap();
    tx.jobs_submit(None, &[job()]).await.unwrap();
    tx.commit().await.unwrap();
    (ledger, other)
}

#[tokio::test]
async fn every_tenant_table_is_guarded_and_so_is_every_partition() {
    let database = TestDatabase::create().await;
    let client = connect(database.super_config()).await;
    let rows = client
        .query(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, pg_get_userbyid(c.relowner) AS owner,
                (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant'
                    AND pg_get_expr(p.polqual, p.polrelid) ILIKE '%nullif(current_setting(''app.tenant_id''%') AS policies,
                c.relispartition AND EXISTS (SELECT FROM aclexplode(c.relacl) a
                    JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname <> 'orch_owner') AS child_granted,
                EXISTS (SELECT FROM aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
                    WHERE r.rolname <> 'orch_owner' AND a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')) AS dangerous
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'orch' AND c.relkind IN ('r', 'p') AND c.relname <> 'refinery_schema_history'",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 20);
    for row in rows {
        let name: &str = row.get("relname");
        assert!(
            row.get::<_, bool>("forced"),
            "{name}: row-level security is not forced upon the owner"
        );
        assert_eq!(row.get::<_, &str>("owner"), "orch_owner", "{name}");
        assert_eq!(row.get::<_, i64>("policies"), 1, "{name}: no tenant policy");
        assert!(
            !row.get::<_, bool>("child_granted"),
            "{name}: a partition may be read around its parent"
        );
        assert!(
            !row.get::<_, bool>("dangerous"),
            "{name}: TRUNCATE, REFERENCES or TRIGGER is granted"
        );
    }
}

#[tokio::test]
async fn every_unique_key_starts_with_the_tenant() {
    let database = TestDatabase::create().await;
    let client = connect(database.super_config()).await;
    let rows = client
        .query(
            "SELECT i.indexrelid::regclass::text FROM pg_index i
             JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE n.nspname = 'orch' AND i.indisunique AND a.attname <> 'tenant_id'
               AND c.relname <> 'refinery_schema_history'",
            &[],
        )
        .await
        .unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(
        names.is_empty(),
        "a unique key tells one tenant of another's rows: {names:?}"
    );
}

#[tokio::test]
async fn a_role_that_passes_the_wall_is_refused_at_start() {
    let database = TestDatabase::create().await;
    let admin = connect(database.super_config()).await;
    let role = format!("passer_{}", database.name());
    let make = format!("CREATE ROLE {role} LOGIN BYPASSRLS");
    admin.batch_execute(&make).await.unwrap();
    let mut passer = database.app_config();
    passer.user(&role);
    for config in [database.super_config(), passer] {
        let error = Store::open(&config, &config, 2).await.unwrap_err();
        let told = matches!(&error, StoreError::Unfit(why) if why.contains("row-level security"));
        assert!(told, "{error}");
    }
    let drop = format!("DROP ROLE {role}");
    admin.batch_execute(&drop).await.unwrap();
}

#[tokio::test]
async fn the_owner_sees_nothing_without_a_tenant() {
    let (ledger, _) = two_tenants().await;
    let client = connect(ledger.database.super_config()).await;
    client.batch_execute("SET ROLE orch_owner").await.unwrap();
    assert_eq!(count(&client, "SELECT 1 FROM orch.job").await, 0);
}

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_no_setting_means_none() {
    let (ledger, other) = two_tenants().await;
    let client = connect(ledger.database.app_config()).await;
    assert_eq!(count(&client, "SELECT 1 FROM job").await, 0);
    client.batch_execute("BEGIN").await.unwrap();
    client
        .query(
            "SELECT set_config('app.tenant_id', $1, true)",
            &[&other.tenant.to_string()],
        )
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT 1 FROM job").await, 1);
    client.batch_execute("COMMIT").await.unwrap();
    // After a SET LOCAL the setting reads as an empty string: that is nobody, not an error and not everybody.
    assert_eq!(count(&client, "SELECT 1 FROM job").await, 0);
}

#[tokio::test]
async fn the_setting_of_one_transaction_does_not_reach_the_next() {
    let (ledger, other) = two_tenants().await;
    for caller in [&other, &ledger.caller, &other] {
        let tx = ledger.store.begin(caller).await.unwrap();
        let place = jobengine_store::JobPlace {
            newest_first: false,
            after: None,
            limit: 10,
        };
        let found = tx
            .job_search(&jobengine_store::JobFilter::default(), place)
            .await
            .unwrap();
        assert_eq!(found.jobs.len(), 1);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_partition_cannot_be_read_around_its_parent() {
    let (ledger, _) = two_tenants().await;
    let client = connect(ledger.database.app_config()).await;
    let partitions = client
        .query(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'job'::regclass",
            &[],
        )
        .await
        .unwrap();
    assert!(partitions.len() > 1);
    for row in partitions {
        let name: &str = row.get(0);
        let error = client
            .query(&format!("SELECT 1 FROM {name}"), &[])
            .await
            .unwrap_err();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
            "{name}"
        );
    }
}

#[tokio::test]
async fn truncate_and_a_changed_role_are_refused() {
    let (ledger, _) = two_tenants().await;
    let client = connect(ledger.database.app_config()).await;
    for sql in [
        "TRUNCATE run",
        "SET ROLE orch_owner",
        "ALTER TABLE run DISABLE ROW LEVEL SECURITY",
        "DELETE FROM event",
        "UPDATE job SET payload = ''",
        "SELECT guard('run')",
        "SELECT partition_ensure('job', 1)",
    ] {
        let error = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn rows_of_another_tenant_cannot_be_written_or_referred_to() {
    let (ledger, other) = two_tenants().await;
    let client = connect(ledger.database.app_config()).await;
    client.batch_execute("BEGIN").await.unwrap();
    client
        .query(
            "SELECT set_config('app.tenant_id', $1, true)",
            &[&other.tenant.to_string()],
        )
        .await
        .unwrap();
    let insert = format!(
        "INSERT INTO source (tenant_id, source_id, name, created_at) VALUES ('{}', gen_random_uuid(), 'x', now())",
        ledger.caller.tenant
    );
    let error = client.batch_execute(&insert).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE)
    );
    client.batch_execute("ROLLBACK").await.unwrap();
    // Foreign-key checks pass the wall, so every foreign key carries the tenant.
    let admin = connect(ledger.database.super_config()).await;
    let keys = admin
        .query(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'orch'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey) AND a.attname = 'tenant_id')",
            &[],
        )
        .await
        .unwrap();
    assert!(keys.is_empty());
    let run: Uuid = admin
        .query_one("SELECT run_id FROM orch.run", &[])
        .await
        .unwrap()
        .get(0);
    let edge = format!(
        "INSERT INTO orch.edge (tenant_id, run_id, parent_id, child_id, policy)
         VALUES ('{}', '{run}', gen_random_uuid(), gen_random_uuid(), 'require')",
        other.tenant
    );
    let error = admin.batch_execute(&edge).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some(&tokio_postgres::error::SqlState::FOREIGN_KEY_VIOLATION)
    );
}

#[tokio::test]
async fn views_run_as_their_caller() {
    let database = TestDatabase::create().await;
    let client = connect(database.super_config()).await;
    let views = client
        .query(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'orch'::regnamespace AND c.relkind = 'v'
               AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)",
            &[],
        )
        .await
        .unwrap();
    assert!(views.is_empty());
}

#[tokio::test]
async fn the_cross_tenant_role_reads_only_what_tells_of_due_work() {
    let (ledger, _) = two_tenants().await;
    let client = connect(ledger.database.sched_config()).await;
    // The two, and the installation.
    assert_eq!(count(&client, "SELECT tenant_id FROM tenant").await, 3);
    for sql in [
        "SELECT payload FROM job",
        "SELECT token_hash FROM lease",
        "SELECT name FROM tenant",
        "SELECT * FROM event",
    ] {
        let error = client.query(sql, &[]).await.unwrap_err();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}"
        );
    }
    // Whatever else may be read, only a tenant's narrow columns are granted.
    let admin = connect(ledger.database.super_config()).await;
    let columns = admin
        .query(
            "SELECT DISTINCT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             CROSS JOIN aclexplode(a.attacl) acl JOIN pg_roles r ON r.oid = acl.grantee
             WHERE c.relnamespace = 'orch'::regnamespace AND r.rolname = 'orch_sched'",
            &[],
        )
        .await
        .unwrap();
    let columns: BTreeSet<String> = columns.iter().map(|row| row.get(0)).collect();
    let narrow = [
        "tenant_id",
        "deadline",
        "job_type",
        "ready_at",
        "lease_until",
        "next_at",
        "delivered_at",
        "completed_at",
        "txid",
        "audit_id",
        "first",
        "expires_at",
        "change_id",
        "stream",
        // Which webhook has not seen which event, and which has a delivery that is due.
        "webhook_id",
        "state",
        "event_id",
        "cursor_txid",
        "cursor_event",
        // Whether a source holds jobs, and (state) whether a bulk action runs.
        "holds",
        // What the gauges count: ids, moments and numbers.
        "job_id",
        "run_id",
        "created_at",
        "mode",
        "jobs_total",
        "jobs_succeeded",
        "jobs_failed",
        "jobs_canceled",
        "jobs_skipped",
        "slots",
        "pause_reason",
        "opened_at",
        // Whether a debt is due, and whether a run pays it.
        "due_at",
        "paid_by",
        // Whether a record is refused or counts in part.
        "effect",
    ];
    let wide: Vec<_> = columns
        .iter()
        .filter(|name| !narrow.contains(&name.as_str()))
        .collect();
    assert!(wide.is_empty(), "orch_sched may read {wide:?}");
}
