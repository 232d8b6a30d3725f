//! Transactions, each opened for a caller.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use jobengine_domain::caller::Caller;
use jobengine_domain::id::{ProjectId, TenantId};
use jobengine_domain::time::Timestamp;
use jobengine_domain::trace::TraceContext;
use jobengine_telemetry::Presence;
use jobengine_telemetry::trace::Traces;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::error::StoreError;
use crate::observe::{Notes, Observer};
use crate::reach::Reach;
use crate::ready::ReadyNotes;
use crate::share::Share;
use crate::ts::Ts;

/// How a transaction begins that can only read.
pub(crate) const BEGIN_READING: &str = "BEGIN READ ONLY";
/// A connection that does not end its transaction in that time is closed.
const END_MAX: Duration = Duration::from_secs(1);

/// A transaction of one tenant. Dropped without [`Tx::commit`] it is rolled back. Its connection serves
/// the next one only when every answer has come: left in the middle of a conversation it is closed.
#[derive(Debug)]
pub struct Tx {
    connection: Option<Object>,
    /// It can only read.
    reads: bool,
    /// Statements whose answer was not awaited to its end.
    unanswered: AtomicUsize,
    tenant: TenantId,
    subject: String,
    project: Option<ProjectId>,
    now: Timestamp,
    ready: ReadyNotes,
    notes: Notes,
    observer: Observer,
    _open: Presence,
    scope: OnceLock<String>,
    cause: OnceLock<TraceContext>,
    told: AtomicBool,
    held: Held,
}

/// What a transaction has of its store.
#[derive(Debug)]
pub(crate) struct Held {
    /// A part of its tenant's share of the connections.
    #[expect(dead_code, reason = "given back with the transaction")]
    pub share: Share,
    pub reach: Reach,
    pub commits: watch::Sender<u64>,
    /// What a test says the time is.
    pub clock: Option<Timestamp>,
}

impl Tx {
    pub(crate) async fn open(
        connection: Object,
        caller: &Caller,
        observer: &Observer,
        begin: &'static str,
        held: Held,
    ) -> Result<Self, StoreError> {
        let tenant = caller.tenant.to_string();
        let project = caller
            .project
            .map_or_else(String::new, |project| project.to_string());
        let clock = held.clock.map(Ts);
        let params: [&(dyn ToSql + Sync); 3] = [&tenant, &project, &clock];
        // Before the first word is sent: whoever stops waiting here must close the connection too.
        let mut tx = Self {
            connection: Some(connection),
            reads: begin == BEGIN_READING,
            unanswered: AtomicUsize::new(0),
            tenant: caller.tenant,
            subject: caller.subject.clone(),
            project: caller.project,
            now: Timestamp::from_micros(0),
            ready: ReadyNotes::default(),
            notes: Notes::default(),
            observer: observer.clone(),
            _open: observer.transaction(),
            scope: OnceLock::new(),
            cause: OnceLock::new(),
            told: AtomicBool::new(false),
            held,
        };
        let open = tx.statement(include_str!("caller/open.sql")).await?;
        let opened = async {
            let (bound, row) = tokio::join!(
                biased;
                tx.connection().batch_execute(begin),
                tx.connection().query_one(&open, &params)
            );
            bound?;
            row
        };
        let row = tx.answered(opened).await?;
        Ts(tx.now) = row.get("now");
        Ok(tx)
    }

    /// The database's clock when the transaction began.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Whose rows this transaction sees.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whose rows alone it sees, of those that belong to a project.
    pub(crate) const fn project(&self) -> Option<ProjectId> {
        self.project
    }

    /// Who acts.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Where spans go.
    pub(crate) fn traces(&self) -> &Traces {
        self.observer.traces()
    }

    /// What is counted once this transaction is committed.
    pub(crate) const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Says by which scope the caller acts: its events carry it. Once in a transaction.
    pub fn by_scope(&self, scope: &str) {
        self.scope.get_or_init(|| scope.to_owned());
    }

    /// Says which span the transaction is part of: what follows from it later continues there. Once in a
    /// transaction.
    pub fn caused_by(&self, cause: TraceContext) {
        self.cause.get_or_init(|| cause);
    }

    /// The span that the transaction is part of, where one was named.
    pub(crate) fn cause(&self) -> Option<TraceContext> {
        self.cause.get().copied()
    }

    /// Who causes the events of this transaction, and by which scope; nobody where the system acts.
    pub(crate) fn actor(&self) -> (Option<&str>, Option<&str>) {
        let actor = Some(self.subject()).filter(|subject| *subject != Caller::SYSTEM);
        (actor, self.scope.get().map(String::as_str))
    }

    /// Keeps in mind that readers of the tenant's events have something to read once this commits.
    pub(crate) fn note_event(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    pub(crate) const fn ready_notes(&self) -> &ReadyNotes {
        &self.ready
    }

    /// Makes everything in the transaction lasting, or nothing of it. One that only read ends by itself:
    /// there is nothing to wait for.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Unavailable`] it is unknown whether it was committed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.reads {
            self.leave("COMMIT");
        } else {
            self.end("COMMIT").await?;
        }
        self.observer.committed(&self.notes, self.now);
        if self.told.load(Ordering::Relaxed) {
            self.held
                .commits
                .send_modify(|commits| *commits = commits.wrapping_add(1));
        }
        Ok(())
    }

    /// Undoes everything, and keeps the connection for the next caller.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; everything is undone all the same.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }

    /// Ends the transaction; a connection on which that fails is closed.
    async fn end(&mut self, how: &'static str) -> Result<(), StoreError> {
        let ended = self.answered(self.connection().batch_execute(how)).await;
        let connection = self.connection.take();
        if ended.is_err() {
            drop(connection.map(Object::take));
        }
        ended
    }

    pub(crate) async fn query(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql).await?;
        self.answered(self.connection().query(&statement, params))
            .await
    }

    /// Sends a statement right behind another one, in one round trip: the second sees what was committed
    /// until the first was done.
    pub(crate) async fn query_behind(
        &self,
        (first, first_params): (&str, &[&(dyn ToSql + Sync)]),
        (second, second_params): (&str, &[&(dyn ToSql + Sync)]),
    ) -> Result<Vec<Row>, StoreError> {
        let (first, second) = (self.statement(first).await?, self.statement(second).await?);
        let both = async {
            let (done, rows) = tokio::join!(
                biased;
                self.connection().query(&first, first_params),
                self.connection().query(&second, second_params)
            );
            done?;
            rows
        };
        self.answered(both).await
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.statement(sql).await?;
        self.answered(self.connection().query_opt(&statement, params))
            .await
    }

    /// The row of a statement that always has one.
    pub(crate) async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or(StoreError::Corrupt {
            place: "the only row of a statement",
        })
    }

    pub(crate) async fn execute(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let statement = self.statement(sql).await?;
        self.answered(self.connection().execute(&statement, params))
            .await
    }

    /// Sends a command without parameters, such as a setting of this transaction.
    pub(crate) async fn command(&self, sql: &'static str) -> Result<(), StoreError> {
        self.answered(self.connection().batch_execute(sql)).await
    }

    /// Awaits an answer, while PostgreSQL is there. Whoever stops waiting leaves it unanswered.
    async fn answered<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let answer = self.held.reach.answer(answer).await;
        self.count(&answer);
        answer
    }

    /// A statement that the connection knows already is no word of PostgreSQL's.
    async fn statement(&self, sql: &str) -> Result<Statement, StoreError> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let statement = self.connection().prepare_cached(sql);
        let statement = self.held.reach.wait(statement).await;
        self.count(&statement);
        statement
    }

    /// Of a statement that was given up the answer may still come.
    fn count<T>(&self, answer: &Result<T, StoreError>) {
        if !matches!(answer, Err(StoreError::Unavailable(_))) {
            self.unanswered.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Has the transaction ended behind its back.
    fn leave(&mut self, how: &'static str) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let runtime = Handle::try_current().ok();
        match runtime.filter(|_| *self.unanswered.get_mut() == 0) {
            Some(runtime) => drop(runtime.spawn(end(connection, how))),
            None => drop(Object::take(connection)),
        }
    }

    fn connection(&self) -> &Object {
        self.connection
            .as_ref()
            .expect("a transaction has its connection until it ends")
    }
}

/// Ends what a connection has begun, and gives it back.
async fn end(connection: Object, how: &str) {
    let ended = tokio::time::timeout(END_MAX, connection.batch_execute(how)).await;
    if !matches!(ended, Ok(Ok(()))) {
        drop(Object::take(connection));
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        self.leave("ROLLBACK");
    }
}
