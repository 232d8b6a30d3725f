//! The connection over which PostgreSQL is asked whether it is there.

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connect::is_local;
use crate::error::StoreError;
use crate::tls;

/// The connection that serves nothing else.
pub(super) struct Line {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    client: Option<Client>,
}

impl Line {
    pub(super) fn new(config: &Config) -> Result<Self, StoreError> {
        Ok(Self {
            config: config.clone(),
            tls: (!is_local(config)).then(tls::connector).transpose()?,
            client: None,
        })
    }

    /// The next question goes over a new connection.
    pub(super) fn close(&mut self) {
        self.client = None;
    }

    /// Asks, over a new connection when there is none that works.
    ///
    /// # Errors
    /// When nobody answers. A refusal that says why, such as too many connections, is an answer.
    pub(super) async fn ask(&mut self) -> Result<(), StoreError> {
        let sql = include_str!("ask.sql");
        if let Some(client) = &self.client {
            match client.batch_execute(sql).await {
                Ok(()) => return Ok(()),
                Err(_) => self.client = None,
            }
        }
        let connected = match &self.tls {
            None => connect(&self.config, NoTls).await,
            Some(tls) => connect(&self.config, tls.clone()).await,
        };
        match connected {
            Ok(client) => {
                self.client = Some(client);
                Ok(())
            }
            Err(error) if speaks(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a refusal comes from a server that is up. Class 57 is said while it starts or stops.
fn speaks(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| !code.code().starts_with("57"))
}

async fn connect<T>(config: &Config, tls: T) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(async move {
        // Ends with its client, or with an error that the client is told.
        let _ = connection.await;
    });
    Ok(client)
}
