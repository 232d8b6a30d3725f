//! Acts: how every mutating operation changes something (`docs/adr/0009`).
//!
//! The guard makes an [`Act`] out of the request: who, what, why, under which key. [`Act::perform`] does the
//! work in one transaction, with its audit row and, for a keyed request, the answer that a repeat is given.

mod answer;
mod key;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use jobengine_domain::idempotency::{Decision, decide};
use jobengine_domain::time::Timestamp;
use jobengine_queue::Hint;
use jobengine_store::secret::{InstallationSecret, Purpose};
use jobengine_store::{ActKey, Answered, Effect, StoreError, Tx};

pub(crate) use answer::Done;
use key::key_hash;
pub(crate) use key::{Fingerprint, key};

use crate::edge::{REPLAYED, RequestIds};
use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A change under way. Only the guard makes one, of a request that may do what it asks.
#[derive(Debug, Clone)]
pub(crate) struct Act(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    caller: Caller,
    ids: RequestIds,
    asked: Asked,
}

/// What the guard read in a request's head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The operation's name in the contract.
    pub operation: String,
    /// The scope by which it may.
    pub scope: &'static str,
    /// Method, path and parameters.
    pub line: String,
    /// Why.
    pub reason: Option<String>,
    /// Where that is written down.
    pub ticket: Option<String>,
    /// The caller's name for the request.
    pub key: Option<String>,
    /// What the body's reader leaves behind.
    pub body: Fingerprint,
    /// Where the request came from.
    pub source: Option<IpAddr>,
}

/// Why the work of an act was not done. Both sorts turn into it by `?`.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store could not; a conflict is tried again.
    Store(StoreError),
    /// The caller is told so; nothing is changed.
    Problem(Problem),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Problem(problem) => problem,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What a request with or without a key comes to.
pub(crate) enum Turn {
    /// Do it. `forget`: after what stands under its key, which no longer counts.
    Take { forget: bool },
    /// It was done: this was the answer.
    Replay(Done),
}

impl Act {
    pub(crate) fn new(caller: Caller, ids: RequestIds, asked: Asked) -> Self {
        Self(Arc::new(Inner { caller, ids, asked }))
    }

    /// The same act without its key: what is noted of a refused request is no answer that a repeat is given.
    pub(crate) fn unkeyed(&self) -> Self {
        let Inner { caller, ids, asked } = &*self.0;
        let asked = Asked {
            key: None,
            ..asked.clone()
        };
        Self::new(caller.clone(), ids.clone(), asked)
    }

    /// Who acts.
    pub(crate) fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The names of the request.
    pub(crate) fn ids(&self) -> &RequestIds {
        &self.0.ids
    }

    /// Why, in the caller's words.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.0.asked.reason.as_deref()
    }

    /// Refuses an act for which nobody said why.
    ///
    /// # Errors
    /// `REASON_REQUIRED`.
    pub(crate) fn require_reason(&self) -> Result<(), Problem> {
        let detail = "say why in X-Stella-Operator-Reason";
        let missing = || Problem::new(Code::ReasonRequired, detail);
        self.reason().map(|_| ()).ok_or_else(missing)
    }

    /// Refuses an act without a ticket.
    ///
    /// # Errors
    /// `TICKET_REQUIRED`.
    pub(crate) fn require_ticket(&self) -> Result<(), Problem> {
        let detail = "name the ticket in X-Stella-Operator-Ticket";
        let missing = || Problem::new(Code::TicketRequired, detail);
        self.0.asked.ticket.as_ref().map(|_| ()).ok_or_else(missing)
    }

    /// The act as the store records it. The body was read by now.
    pub(crate) fn record(&self) -> jobengine_store::Act {
        let Inner { caller, ids, asked } = &*self.0;
        jobengine_store::Act {
            subject: caller.subject.clone(),
            credential: caller.credential.clone(),
            operation: asked.operation.clone(),
            scope: asked.scope.to_owned(),
            reason: asked.reason.clone(),
            ticket: asked.ticket.clone(),
            request_id: ids.request_id.clone(),
            correlation_id: ids.correlation_id.clone(),
            source: asked.source,
            key: asked.key.as_ref().map(|key| ActKey {
                hash: key_hash(key, caller.project),
                request: asked.body.request(&asked.line),
            }),
        }
    }

    /// Does `work` in one transaction with its record, and announces the jobs that it made ready. It is done
    /// again, as a whole, when it met another transaction.
    ///
    /// # Errors
    /// What `work` fails with, `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_PROGRESS`, and what the store fails with.
    pub(crate) async fn perform<F, W>(&self, state: &AppState, work: F) -> Result<Response, Problem>
    where
        F: Fn(Arc<Tx>) -> W,
        W: Future<Output = Result<Done, Failure>>,
    {
        let act = self.record();
        let mut looked_again = false;
        let performed = loop {
            let performed = state
                .store()
                .retrying(async || {
                    // Shared, because a borrow in the work's own future could not be sent between threads.
                    let tx = Arc::new(state.store().begin(&self.0.caller).await?);
                    let attempt = self.attempt(state.secret(), &act, &tx, &work).await;
                    let tx = Arc::into_inner(tx).expect("the work gives back its transaction");
                    match attempt {
                        Ok(done) => {
                            let ready = tx.ready();
                            tx.commit().await?;
                            Ok(Ok((done, ready)))
                        }
                        Err(Failure::Store(error)) => Err(error),
                        Err(Failure::Problem(problem)) => {
                            tx.rollback().await?;
                            Ok(Err(problem))
                        }
                    }
                })
                .await;
            match performed {
                // Somebody changed what the work had looked at: it looks once more, and says what is wrong.
                Err(StoreError::Stale(_)) if !looked_again => looked_again = true,
                performed => break performed?,
            }
        };
        let (done, ready) = performed?;
        state.announce(&Hint::jobs(self.0.caller.tenant, ready));
        Ok(respond(done))
    }

    async fn attempt<F, W>(
        &self,
        secret: &InstallationSecret,
        act: &jobengine_store::Act,
        tx: &Arc<Tx>,
        work: &F,
    ) -> Result<Done, Failure>
    where
        F: Fn(Arc<Tx>) -> W,
        W: Future<Output = Result<Done, Failure>>,
    {
        tx.by_scope(&act.scope);
        if let Some(span) = self.0.ids.span() {
            tx.caused_by(span);
        }
        let answered = tx.acts_answered(&[act]).await?.pop().flatten();
        match turn(secret, tx, act, answered.as_ref())? {
            Turn::Replay(done) => return Ok(done),
            Turn::Take { forget: true } => tx.act_forget(act).await?,
            Turn::Take { forget: false } => {}
        }
        let done = work(Arc::clone(tx)).await?;
        tx.acts_record(&[effect(secret, tx, act, &done)]).await?;
        Ok(done)
    }
}

/// Decides about an act by what stands under its key.
///
/// # Errors
/// `IDEMPOTENCY_KEY_REUSED`.
pub(crate) fn turn(
    secret: &InstallationSecret,
    tx: &Tx,
    act: &jobengine_store::Act,
    answered: Option<&Answered>,
) -> Result<Turn, Problem> {
    let Some(key) = &act.key else {
        return Ok(Turn::Take { forget: false });
    };
    let now: Timestamp = tx.now();
    let remembered = answered.map(|answered| &answered.remembered);
    match (decide(remembered, &key.request, now), answered) {
        (Decision::Replay, Some(answered)) => {
            let context = context(tx, act);
            let parts: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
            secret
                .open(Purpose::Idempotency, &parts, &answered.answer)
                .and_then(|bytes| Done::stored(answered.status, &bytes))
                .map(Turn::Replay)
                .ok_or_else(|| {
                    tracing::error!(
                        operation = act.operation,
                        "a stored answer cannot be read: was the installation secret changed?"
                    );
                    Problem::new(Code::Internal, "the failure is in the log of the service")
                })
        }
        (Decision::Mismatch, _) => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "the key was used for another request; use a fresh one",
        )),
        (Decision::Expired, _) => Ok(Turn::Take { forget: true }),
        (Decision::Proceed | Decision::Replay, _) => Ok(Turn::Take { forget: false }),
    }
}

/// What is recorded of an act that was done.
pub(crate) fn effect<'a>(
    secret: &InstallationSecret,
    tx: &Tx,
    act: &'a jobengine_store::Act,
    done: &'a Done,
) -> Effect<'a> {
    let answer = if act.key.is_some() {
        let context = context(tx, act);
        let parts: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
        secret.seal(Purpose::Idempotency, &parts, &done.to_stored())
    } else {
        Vec::new()
    };
    Effect {
        act,
        object_kind: done.kind(),
        object_id: done.id(),
        before: done.digest_before(),
        after: done.digest_after(),
        status: done.status().as_u16(),
        answer,
    }
}

/// The response, marked when it was given before.
pub(crate) fn respond(done: Done) -> Response {
    let replayed = done.is_replayed();
    let mut response = done.into_response();
    if replayed {
        let name = axum::http::HeaderName::from_static(REPLAYED);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// Where a stored answer belongs.
fn context(tx: &Tx, act: &jobengine_store::Act) -> [Vec<u8>; 4] {
    let key = act.key.as_ref().map(|key| key.hash.as_bytes().to_vec());
    [
        tx.tenant().0.as_bytes().to_vec(),
        act.subject.clone().into_bytes(),
        act.operation.clone().into_bytes(),
        key.unwrap_or_default(),
    ]
}

impl<S: Sync> FromRequestParts<S> for Act {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Absent only where an operation forgot to declare that it changes something: our own bug.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("an operation without an audited effect asked for an act");
            Problem::new(Code::Internal, "the failure is in the log of the service")
        })
    }
}
