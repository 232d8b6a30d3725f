//! What can go wrong between the ledger and us.

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

/// A failure of the store. A variant for each thing the caller would do differently.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL cannot be reached, or refuses connections: answer 503 and let the client retry.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// PostgreSQL is there and has too much to do: every connection is in use, or a statement ran out of time.
    #[error("the database has too much to do")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Two transactions met; the same work may succeed when repeated.
    #[error("the transaction met another one and may be repeated")]
    Conflict(#[source] tokio_postgres::Error),
    /// The same request is under way elsewhere.
    #[error("the same request is under way")]
    InProgress(#[source] tokio_postgres::Error),
    /// What the transaction was based on is no longer so.
    #[error("{0} was changed by somebody else")]
    Stale(&'static str),
    /// Something named does not exist for this tenant.
    #[error("{0} does not exist")]
    Missing(&'static str),
    /// A reader of a stream cannot go on from its cursor without missing something.
    #[error("the cursor has expired")]
    Expired(#[source] jobengine_domain::stream::Expired),
    /// Nothing is taken for a source now.
    #[error("nothing is taken for the source {name} now")]
    SourceClosed {
        /// The source.
        name: String,
        /// Whether it is paused; else it is disabled.
        paused: bool,
    },
    /// A stored value cannot be read: a bug, or somebody wrote behind our back.
    #[error("could not read {place} of a stored row")]
    Corrupt {
        /// `table.column`.
        place: &'static str,
    },
    /// The database refuses for a reason that repeating does not cure.
    #[error("the database refused a statement")]
    Refused(#[source] tokio_postgres::Error),
    /// The schema cannot be brought up to date.
    #[error("the database could not be migrated: {0}")]
    Migrate(String),
    /// The database is not set up as the promises need it.
    #[error("{0}")]
    Unfit(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            None => Self::Unavailable(Box::new(error)),
            Some(code)
                if *code == SqlState::T_R_SERIALIZATION_FAILURE
                    || *code == SqlState::T_R_DEADLOCK_DETECTED
                    || *code == SqlState::LOCK_NOT_AVAILABLE
                    // The echo of what happened to another statement that was sent together with this one:
                    // the next try is told what that was.
                    || *code == SqlState::IN_FAILED_SQL_TRANSACTION =>
            {
                Self::Conflict(error)
            }
            // A statement's time is over, or the server has no connection left.
            Some(code)
                if *code == SqlState::QUERY_CANCELED || *code == SqlState::TOO_MANY_CONNECTIONS =>
            {
                Self::Busy(Box::new(error))
            }
            // Class 57 is "operator intervention", 53 "insufficient resources", 08 "connection".
            Some(code)
                if ["57", "53", "08"]
                    .iter()
                    .any(|class| code.code().starts_with(class)) =>
            {
                Self::Unavailable(Box::new(error))
            }
            Some(_) => Self::Refused(error),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => Self::Busy(Box::new(error)),
            PoolError::Backend(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => {
                Self::Busy(Box::new(error))
            }
            // No connection, whatever PostgreSQL says about it: a client can only try again later.
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<tokio::time::error::Elapsed> for StoreError {
    fn from(error: tokio::time::error::Elapsed) -> Self {
        Self::Busy(Box::new(error))
    }
}

/// Turns the row count of a guarded write into a verdict: 0 rows mean that the premise is gone.
pub(crate) fn expect_one(rows: u64, what: &'static str) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale(what))
    }
}
