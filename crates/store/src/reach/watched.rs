//! Questions outside a transaction.

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement, ToStatement};

use super::{Away, Reach};
use crate::error::StoreError;

/// A connection of a pool, outside any transaction, whose answers are awaited while PostgreSQL is there.
#[derive(Debug)]
pub(crate) struct Watched {
    connection: Option<Object>,
    reach: Reach,
}

impl Watched {
    pub(crate) const fn new(connection: Object, reach: Reach) -> Self {
        Self {
            connection: Some(connection),
            reach,
        }
    }

    pub(crate) async fn prepare_cached(&mut self, sql: &str) -> Result<Statement, StoreError> {
        let reach = self.reach.clone();
        // A statement that the connection knows already is no word of PostgreSQL's.
        self.ask(async |connection| reach.wait(connection.prepare_cached(sql)).await)
            .await
    }

    pub(crate) async fn query<T>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError>
    where
        T: ?Sized + ToStatement + Sync,
    {
        let reach = self.reach.clone();
        self.ask(async |connection| reach.answer(connection.query(statement, params)).await)
            .await
    }

    pub(crate) async fn query_one<T>(
        &mut self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError>
    where
        T: ?Sized + ToStatement + Sync,
    {
        let reach = self.reach.clone();
        self.ask(async |connection| reach.answer(connection.query_one(statement, params)).await)
            .await
    }

    /// Whoever stops waiting for an answer closes the connection: it is not the next one's to read.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&Object) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(connection) = self.connection.take() else {
            return Err(StoreError::Unavailable(Box::new(Away)));
        };
        let mut unanswered = Unanswered(Some(connection));
        let connection = unanswered.0.as_ref().expect("it was put there");
        let answer = question(connection).await;
        if !matches!(answer, Err(StoreError::Unavailable(_))) {
            self.connection = unanswered.0.take();
        }
        answer
    }
}

/// A connection in the middle of a conversation; dropped it is closed.
struct Unanswered(Option<Object>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}
