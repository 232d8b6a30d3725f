//! What an administrator does beside migrating: make a database, measure the server.

mod insert_probe;

pub use insert_probe::InsertProbe;

use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use crate::error::StoreError;
use crate::migrate::connect;

/// Makes the database `name` on the server that `config` leads to, unless it is there. The name is
/// ours, never a user's.
///
/// # Errors
/// [`StoreError`].
pub async fn database_create(config: &Config, name: &'static str) -> Result<(), StoreError> {
    let client = connect(config).await?;
    let make = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
    match client.batch_execute(&make).await {
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        done => Ok(done?),
    }
}

/// Bytes of write-ahead log that the whole server has written so far.
///
/// # Errors
/// [`StoreError`].
pub async fn wal_bytes(config: &Config) -> Result<u64, StoreError> {
    let client = connect(config).await?;
    let row = client
        .query_one(include_str!("administration/wal_bytes.sql"), &[])
        .await?;
    Ok(row.get::<_, i64>("bytes").unsigned_abs())
}

/// Does at once what the server does in its own time after much was written, so that what is measured next
/// is not measured beside it.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(config: &Config) -> Result<(), StoreError> {
    let client = connect(config).await?;
    // One by one: neither may be part of a transaction.
    client.batch_execute("VACUUM (ANALYZE)").await?;
    Ok(client.batch_execute("CHECKPOINT").await?)
}
