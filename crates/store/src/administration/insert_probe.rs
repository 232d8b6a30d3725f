//! The yardstick of the benchmarks: one bare, durable INSERT.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, Config, Statement};
use uuid::Uuid;

use crate::error::StoreError;
use crate::migrate::connect;

/// Connections that insert one bare row after the other into a table of their own.
#[derive(Debug)]
pub struct InsertProbe {
    connections: Vec<(Client, Statement)>,
    next: AtomicUsize,
}

impl InsertProbe {
    /// Makes the table in the database that `config` leads to, as its administrator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(config: &Config, connections: usize) -> Result<Self, StoreError> {
        let first = connect(config).await?;
        first
            .batch_execute(include_str!("insert_probe_table.sql"))
            .await?;
        let mut probes = Vec::with_capacity(connections);
        for _ in 0..connections {
            let client = connect(config).await?;
            let insert = client.prepare(include_str!("insert_probe.sql")).await?;
            probes.push((client, insert));
        }
        Ok(Self {
            connections: probes,
            next: AtomicUsize::new(0),
        })
    }

    /// Inserts one row; it is durable when this is answered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert(&self, id: Uuid, payload: &str) -> Result<(), StoreError> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let (client, insert) = &self.connections[at];
        client.execute(insert, &[&id, &payload]).await?;
        Ok(())
    }
}
