//! The line over which processes hint to each other that work is ready: LISTEN and NOTIFY on one
//! connection outside the pools. What comes over it may be lost, repeated or forged.

use std::future::poll_fn;

use tokio::sync::mpsc;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket, Statement};

use crate::connect::{Store, is_local};
use crate::error::StoreError;
use crate::tls;

/// Most bytes of one hint: PostgreSQL takes less than 8,000.
pub const WAKE_MAX_BYTES: usize = 7_900;
/// Hints that were heard but not yet taken; more are dropped, as a hint may be.
const HEARD_MAX: usize = 1_024;

/// One process's end of the line. Ends with its connection.
#[derive(Debug)]
pub struct WakeLine {
    client: Client,
    tell: Statement,
    heard: mpsc::Receiver<String>,
}

impl Store {
    /// Opens this process's end of the line.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when PostgreSQL cannot be reached.
    pub async fn wake_line(&self) -> Result<WakeLine, StoreError> {
        let config = self.app_config();
        let (client, heard) = if is_local(config) {
            open(config, NoTls).await?
        } else {
            open(config, tls::connector()?).await?
        };
        client
            .batch_execute(include_str!("wake/listen.sql"))
            .await?;
        let tell = client.prepare(include_str!("wake/notify.sql")).await?;
        Ok(WakeLine {
            client,
            tell,
            heard,
        })
    }
}

impl WakeLine {
    /// Tells every process, this one included, at most [`WAKE_MAX_BYTES`] of text.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection is gone.
    pub async fn tell(&self, text: &str) -> Result<(), StoreError> {
        self.client.query(&self.tell, &[&text]).await?;
        Ok(())
    }

    /// The next text somebody told; `None` when the connection is gone.
    pub async fn hear(&mut self) -> Option<String> {
        self.heard.recv().await
    }
}

async fn open<T>(config: &Config, tls: T) -> Result<(Client, mpsc::Receiver<String>), StoreError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config
        .connect(tls)
        .await
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let (sender, heard) = mpsc::channel(HEARD_MAX);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(told) = message {
                // Full: a hint may be lost, and whoever waits also looks by itself.
                let _ = sender.try_send(told.payload().to_owned());
            }
        }
    });
    Ok((client, heard))
}
