//! Bringing the schema up to date. Forward only; a repeat does nothing.

use std::sync::LazyLock;

use refinery::{Migration, Target};
use tokio_postgres::{Client, Config, NoTls, config::Host};

use crate::error::StoreError;
use crate::tls;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Creates roles and schema and runs what migrations are missing, as the administrator in `config`.
/// Returns the names of those that ran.
///
/// # Errors
/// [`StoreError::Unavailable`] when PostgreSQL cannot be reached, [`StoreError::Migrate`] with the
/// migration that failed; it then left nothing behind.
pub async fn migrate(config: &Config) -> Result<Vec<String>, StoreError> {
    migrate_to(config, Target::Latest).await
}

/// Brings the schema to a version, as [`migrate`] does.
pub(crate) async fn migrate_to(config: &Config, target: Target) -> Result<Vec<String>, StoreError> {
    let mut client = connect(config).await?;
    // One migration at a time in a database; the lock ends with the connection.
    client
        .batch_execute("SELECT pg_advisory_lock(hashtext('orch.migrate'))")
        .await?;
    client
        .batch_execute(include_str!("migrate/roles.sql"))
        .await?;
    client
        .batch_execute("SET ROLE orch_owner; SET search_path = orch")
        .await?;
    let report = embedded::migrations::runner()
        .set_target(target)
        .run_async(&mut client)
        .await
        .map_err(|error| StoreError::Migrate(with_sources(&error)))?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// The version that the last migration of this program brings the schema to.
pub(crate) fn schema_version() -> i32 {
    static VERSION: LazyLock<i32> = LazyLock::new(|| {
        let runner = embedded::migrations::runner();
        let versions = runner.get_migrations().iter().map(Migration::version);
        versions.max().unwrap_or(0)
    });
    *VERSION
}

/// A connection outside the pools, for administration.
pub(crate) async fn connect(config: &Config) -> Result<Client, StoreError> {
    let local = config
        .get_hosts()
        .iter()
        .all(|host| matches!(host, Host::Unix(_)));
    let unavailable = |error: tokio_postgres::Error| StoreError::Unavailable(Box::new(error));
    if local {
        let (client, connection) = config.connect(NoTls).await.map_err(unavailable)?;
        tokio::spawn(connection);
        Ok(client)
    } else {
        let (client, connection) = config
            .connect(tls::connector()?)
            .await
            .map_err(unavailable)?;
        tokio::spawn(connection);
        Ok(client)
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
