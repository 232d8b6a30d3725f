//! Every SQL file of the store is understood by the migrated schema, and says where it lives.

use std::path::{Path, PathBuf};

use jobengine_store::testing::TestDatabase;
use tokio_postgres::{Client, Config, NoTls};

/// The files below a directory whose names end so.
pub(crate) fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Whether the role that sends a statement may run it: what it may not is refused by the plan, not by the
/// parser.
async fn explain(client: &Client, sql: &str, params: usize) -> Result<(), tokio_postgres::Error> {
    let nothing = vec!["NULL"; params].join(", ");
    let values = if params == 0 {
        String::new()
    } else {
        format!("({nothing})")
    };
    let all = format!("PREPARE probe AS {sql}; EXPLAIN EXECUTE probe{values}; DEALLOCATE probe");
    client.batch_execute(&all).await
}

#[tokio::test]
async fn every_statement_can_be_prepared_and_run_by_its_role() {
    let database = TestDatabase::create().await;
    let client = connect(&database.app_config()).await;
    let sched = connect(&database.sched_config()).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&root, "sql");
    assert!(files.len() > 20);
    for path in files {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        let sql = std::fs::read_to_string(&path).unwrap();
        assert!(
            sql.starts_with(&format!("-- {name}: ")),
            "{name} does not name itself in its first line"
        );
        // A setting that outlives its transaction would show one tenant another's rows.
        let lasting =
            sql.contains("SET app.") || sql.contains("set_config(") && !sql.contains(", true)");
        assert!(
            !lasting,
            "{name} binds the tenant for longer than its transaction"
        );
        // Administration: several statements, sent as they are.
        // The benchmark's yardstick has its own table, which no service has.
        if name == "migrate/roles.sql" || name.starts_with("administration/insert_probe") {
            continue;
        }
        let across = sql.replace("\n-- ", " ").contains("uns as orch_sched");
        let client = if across { &sched } else { &client };
        let prepared = match client.prepare(&sql).await {
            Ok(prepared) => prepared,
            Err(error) => panic!("{name}: {:?}", error.as_db_error()),
        };
        // The one statement that has no plan.
        if name == "wake/listen.sql" {
            continue;
        }
        if let Err(error) = explain(client, &sql, prepared.params().len()).await {
            panic!("{name}: {:?}", error.as_db_error());
        }
    }
}
