//! Statements keep their plans whatever the statistics say: pages touched stay within a bound before there are any, when
//! they were taken of empty tables, and when they are fresh.

use jobengine_domain::id::TenantId;
use tokio_postgres::{Client, NoTls};

use crate::house::Ledger;

/// Rows in each table.
const ROWS: u32 = 20_000;
const RUN: &str = "00000000-0000-7000-8000-000000000001";

/// Of what the statistics are when the statements are planned.
#[derive(Debug, Clone, Copy)]
enum Statistics {
    Never,
    OfEmptyTables,
    Fresh,
}

fn fill(tenant: TenantId) -> String {
    format!(
        "SET search_path = orch; SET session_replication_role = replica;
        INSERT INTO document SELECT '{tenant}', sha256(i::text::bytea), 'sbom', 'x', now() FROM generate_series(1, {ROWS}) i;
        INSERT INTO sbom SELECT '{tenant}', sha256(i::text::bytea), 'cyclonedx', '{{1,2,3}}', now() FROM generate_series(1, {ROWS}) i;
        INSERT INTO image (tenant_id, image_no, digest, sbom_digest, created_at, changed_at)
            SELECT '{tenant}', i, sha256(('image' || i)::bytea), sha256(i::text::bytea), now(), now()
            FROM generate_series(1, {ROWS}) i;
        INSERT INTO run_input SELECT '{tenant}', '{RUN}', 'image', '', 'sha256:' || encode(sha256(('image' || i)::bytea), 'hex'),
            sha256(i::text::bytea) FROM generate_series(1, {ROWS}) i;
        INSERT INTO component SELECT '{tenant}', i, 'pkg:generic/' || i, '{{}}', sha256(('component' || i)::bytea)
            FROM generate_series(1, {ROWS}) i;
        INSERT INTO lease (tenant_id, job_id, fence, token_hash, session_id, granted_at, job_type, sort_key, attempt, crashes,
                max_attempts, max_crashes, has_children)
            SELECT '{tenant}', ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, i, sha256('x'),
                ('00000000-0000-7000-8000-' || lpad(to_hex(i / 100), 12, '0'))::uuid, now(), 't', i, 1, 0, 5, 3, false
            FROM generate_series(1, {ROWS}) i;
        INSERT INTO audit (tenant_id, txid, audit_id, occurred_at, subject, credential, operation, scope, object_kind,
                object_id, request_id, correlation_id)
            SELECT '{tenant}', i::text::xid8, uuid_at(now(), ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid),
                now(), 's', 'c', 'o', 'x', 'job', '1', 'r', 'c' FROM generate_series(1, 400) i;
        INSERT INTO audit_seal SELECT '{tenant}', i, '1', ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
            sha256('x') FROM generate_series(1, {ROWS}) i;
        INSERT INTO change (tenant_id, txid, change_id, kind, subject, created_at)
            SELECT '{tenant}', (i % 400)::text::xid8, gen_random_uuid(), 'image', 'x', now() FROM generate_series(1, {ROWS}) i;
        INSERT INTO run (tenant_id, run_id, trigger, state, correlation_id, jobs_total, created_at) SELECT '{tenant}',
            ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
                'delta', 'queued', 'c', 1, now() FROM generate_series(1, {ROWS}) i;
        INSERT INTO impact_run (tenant_id, run_id, generation, mode, priority, plan_digest, inputs_digest, packages, segments,
                images_impacted, images_total, advisories_changed, created_at, images_not_evaluated)
            SELECT '{tenant}', ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, i, 'analysisOnly', 'normal',
                sha256('x'), sha256('x'), '{{}}', 1, 1, 1, 1, now(), 1 FROM generate_series(1, {ROWS}) i;
        INSERT INTO impact_debt SELECT '{tenant}', sha256(('image' || i)::bytea), NULL, i / 100, i / 100 + 1, 1, 'normal', 'failed',
            now(), now() - i * interval '1 s', CASE WHEN i % 100 = 0 THEN '{RUN}'::uuid END FROM generate_series(1, {ROWS}) i;
        INSERT INTO source (tenant_id, source_id, name, created_at) VALUES ('{tenant}', '{RUN}', 'hub', now());
        INSERT INTO vex (tenant_id, source_id, location, document_id, digest)
            SELECT '{tenant}', '{RUN}', 'l' || i, 'd' || i / 10, sha256(i::text::bytea) FROM generate_series(1, {ROWS}) i;"
    )
}

/// Pages that a statement touches, planned once for a connection as the service plans it.
async fn pages(client: &Client, sql: &str, values: &str) -> u64 {
    let prepared = format!("PREPARE probe AS {sql}");
    client.batch_execute(&prepared).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE probe ({values})");
    let row = client.query_one(&explain, &[]).await.unwrap();
    client.batch_execute("DEALLOCATE probe").await.unwrap();
    let plan: serde_json::Value = row.get(0);
    let count = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}

fn digests(name: &str, count: u32) -> String {
    let one = |at: u32| format!("sha256('{name}{at}')");
    let all: Vec<String> = (1..=count).map(one).collect();
    format!("ARRAY[{}]", all.join(", "))
}

/// Statement, values, rows that it is to find, pages that each may cost.
type Case = (&'static str, String, u64, u64);

fn cases() -> Vec<Case> {
    let place = "'0', '00000000-0000-0000-0000-000000000000', 100";
    let mut cases = vec![
        (
            include_str!("../../src/segment/images.sql"),
            format!("'{RUN}', {}", digests("image", 200)),
            200,
            16,
        ),
        (
            include_str!("../../src/sbom/components.sql"),
            digests("component", 200),
            200,
            6,
        ),
        (
            include_str!("../../src/audit/unsealed.sql"),
            place.to_owned(),
            100,
            12,
        ),
        (
            include_str!("../../src/session/idle.sql"),
            format!("ARRAY['{RUN}'::uuid]"),
            1,
            20,
        ),
    ];
    cases.extend(debts_and_vex());
    cases
}

fn debts_and_vex() -> [Case; 9] {
    [
        (
            include_str!("../../src/debt/due.sql"),
            "now(), 200".to_owned(),
            200,
            1,
        ),
        (
            include_str!("../../src/debt/of_run.sql"),
            "7, 500".to_owned(),
            200,
            1,
        ),
        (
            include_str!("../../src/debt/get.sql"),
            digests("image", 200),
            200,
            6,
        ),
        (
            include_str!("../../src/debt/list.sql"),
            "'', 200".to_owned(),
            200,
            6,
        ),
        (
            include_str!("../../src/debt/remove.sql"),
            digests("image", 200),
            200,
            12,
        ),
        // Two runs that left 200 debts each.
        (
            include_str!("../../src/impact_run/list.sql"),
            "NULL, 7, 2".to_owned(),
            400,
            1,
        ),
        (
            include_str!("../../src/vex/page.sql"),
            format!("'{RUN}', 'l100', 200, 'hub'"),
            200,
            8,
        ),
        (
            include_str!("../../src/vex/of_document.sql"),
            format!("'{RUN}', '', 200, 'hub', 'd7'"),
            10,
            12,
        ),
        (
            include_str!("../../src/vex/standing.sql"),
            format!("'{RUN}', 'l7'"),
            1,
            10,
        ),
    ]
}

async fn check(statistics: Statistics) {
    let ledger = Ledger::open().await;
    let tenant = ledger.caller.tenant;
    let connect = async |config: tokio_postgres::Config| {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let admin = connect(ledger.database.super_config()).await;
    for table in [
        "image",
        "run_input",
        "sbom",
        "component",
        "lease",
        "audit_seal",
        "change",
        "run",
        "impact_run",
        "impact_debt",
        "vex",
    ] {
        let off = format!("ALTER TABLE orch.{table} SET (autovacuum_enabled = off)");
        admin.batch_execute(&off).await.unwrap();
    }
    if matches!(statistics, Statistics::OfEmptyTables) {
        admin.batch_execute("ANALYZE").await.unwrap();
    }
    // The service's connections are older than its data: they have planned while there was nothing.
    let client = connect(ledger.database.app_config()).await;
    let bind = format!(
        "SELECT set_config('app.tenant_id', '{tenant}', false), set_config('app.project_id', '', false)"
    );
    client.batch_execute(&bind).await.unwrap();
    admin.batch_execute(&fill(tenant)).await.unwrap();
    if matches!(statistics, Statistics::Fresh) {
        admin.batch_execute("ANALYZE").await.unwrap();
    }
    let mut wrong = Vec::new();
    for (sql, values, rows, each) in cases() {
        let name = sql.lines().next().unwrap();
        let touched = pages(&client, sql, &values).await;
        if !(rows / 40..=rows * each).contains(&touched) {
            wrong.push(format!("{touched} pages for {rows} rows: {name}"));
        }
    }
    assert!(wrong.is_empty(), "{statistics:?}: {wrong:#?}");
    let sched = connect(ledger.database.sched_config()).await;
    let news = include_str!("../../src/change/news.sql");
    let touched = pages(&sched, news, "'398', 100").await;
    assert!(
        touched <= 100 * 4,
        "{statistics:?}: {touched} pages for two transactions' news"
    );
}

#[tokio::test]
async fn pages_stay_within_their_bounds_before_there_are_statistics() {
    check(Statistics::Never).await;
}

#[tokio::test]
async fn pages_stay_within_their_bounds_when_statistics_are_of_empty_tables() {
    check(Statistics::OfEmptyTables).await;
}

#[tokio::test]
async fn pages_stay_within_their_bounds_when_statistics_are_fresh() {
    check(Statistics::Fresh).await;
}
