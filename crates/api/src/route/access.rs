//! The guard before each operation: token, tenant, scope, justification, key, time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ProjectId, TenantId};

use super::declared::{Declaration, Effect, Needs};
use crate::act::{Act, Asked, Fingerprint, key};
use crate::clock;
use crate::edge::{Arrival, Operation, RequestIds};
use crate::identity::{Caller, Presented};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A tenant header may repeat the token's tenant; it never chooses one.
const TENANT: &str = "x-stella-tenant";
/// The project that a request is for: the token's, or one of its tenant's.
const PROJECT: &str = "x-stella-project";
/// Why somebody does what has to be justified.
const REASON: &str = "x-stella-operator-reason";
/// Longest reason, in characters.
const REASON_MAX: usize = 256;
/// Where that is written down.
const TICKET: &str = "x-stella-operator-ticket";
/// Longest ticket, in characters.
const TICKET_MAX: usize = 128;
/// The nonce for a client's next proofs of possession (RFC 9449 section 8.2).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What stands between a request and one handler.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: AppState,
    operation: Operation,
    declaration: Declaration,
    within: Duration,
}

impl Guard {
    pub(super) fn new(
        state: AppState,
        name: &str,
        declaration: Declaration,
        within: Duration,
    ) -> Self {
        let operation = Operation(name.into());
        Self(Arc::new(Inner {
            state,
            operation,
            declaration,
            within,
        }))
    }
}

/// Lets a request through to its handler, or answers it.
pub(super) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let guard = &*guard.0;
    let (mut parts, body) = request.into_parts();
    let deprecated = guard.declaration.deprecated.as_ref();
    let successor = match deprecated {
        None => String::new(),
        Some(deprecated) => deprecated.successor_of(&mut parts).await,
    };
    let mut response = match identify(guard, &mut parts).await {
        Err(problem) => problem.into_response(),
        Ok(nonce) => {
            let request = Request::from_parts(parts, body);
            let answered = tokio::select! {
                answered = tokio::time::timeout(guard.within, next.run(request)) => {
                    answered.map_err(|_| format!("not done within {} s", guard.within.as_secs()))
                }
                () = guard.state.out_of_time().cancelled() => {
                    Err("the service stops; repeat the request".to_owned())
                }
            };
            let refused = |why| Problem::new(Code::Overloaded, why).into_response();
            let mut response = answered.unwrap_or_else(refused);
            if let Some(nonce) = nonce {
                response.headers_mut().insert(DPOP_NONCE, nonce);
            }
            response
        }
    };
    if let Some(deprecated) = deprecated {
        deprecated.announce(&successor, response.headers_mut());
    }
    response.extensions_mut().insert(guard.operation.clone());
    response
}

/// Makes the caller known to the handler; the nonce for its next proofs, when one is due.
async fn identify(guard: &Inner, parts: &mut Parts) -> Result<Option<HeaderValue>, Problem> {
    let Needs::Token(scope) = guard.declaration.needs else {
        return Ok(None);
    };
    // Put there by the server before anything else.
    let arrival = parts.extensions.get::<Arrival>().cloned();
    let arrival = arrival.ok_or_else(|| {
        tracing::error!("a request does not say where it comes from");
        Problem::new(Code::Internal, "the failure is in the log of the service")
    })?;
    let presented = Presented {
        headers: &parts.headers,
        method: &parts.method,
        path: &arrival.path,
        remote: arrival.remote,
    };
    let identity = guard.state.identity();
    let identified = identity.identify(presented, clock::now()).await?;
    let caller = identified.caller;
    // Each of them: a proxy may have read another one than we do.
    for tenant in parts.headers.get_all(TENANT) {
        let named = tenant.to_str().ok().and_then(|text| text.parse().ok());
        if named != Some::<TenantId>(caller.tenant) {
            return Err(Problem::new(
                Code::TenantMismatch,
                "the tenant comes from the token; X-Stella-Tenant may only repeat it",
            ));
        }
    }
    if guard.state.suspended().contains(caller.tenant) {
        let detail = "an administrator of the installation suspended the tenant";
        return Err(Problem::new(Code::TenantSuspended, detail));
    }
    caller.require(scope)?;
    let caller = within(guard, caller, &parts.headers).await?;
    if scope == Scope::Worker && caller.project.is_some() {
        return Err(Problem::new(
            Code::ProjectMismatch,
            "workers serve a whole tenant: use a token that is not bound to a project",
        ));
    }
    if guard.declaration.effect != Effect::None {
        let act = act(guard, scope, &caller, &arrival, parts)?;
        parts.extensions.insert(act);
    }
    let span = tracing::Span::current();
    span.record("tenant", tracing::field::display(caller.tenant));
    if let Some(project) = caller.project {
        span.record("project", tracing::field::display(project));
    }
    parts.extensions.insert(caller);
    Ok(identified.nonce)
}

/// Binds a caller to the project that its request is for. A token that is bound to one is for no other.
async fn within(guard: &Inner, caller: Caller, headers: &HeaderMap) -> Result<Caller, Problem> {
    let mut given = headers.get_all(PROJECT).into_iter();
    let Some(project) = given.next() else {
        return Ok(caller);
    };
    let project = project.to_str().ok().and_then(|text| text.parse().ok());
    // One at most: a proxy may have read another one than we do.
    let project = project.filter(|_| given.next().is_none());
    let project: ProjectId = project.ok_or_else(|| {
        Problem::new(
            Code::HeaderInvalid,
            "X-Stella-Project holds one project's id",
        )
    })?;
    if let Some(bound) = caller.project {
        let detail = "the token is bound to a project; X-Stella-Project may only repeat it";
        let same = (bound == project).then_some(caller);
        return same.ok_or_else(|| Problem::new(Code::ProjectMismatch, detail));
    }
    let tx = guard.state.store().read(&caller).await?;
    let found = tx.project_find(project).await?;
    tx.commit().await?;
    match found {
        Some(_) => Ok(caller.within(project)),
        None => Err(Problem::not_found("project")),
    }
}

/// Who asks for what, why and under which key.
fn act(
    guard: &Inner,
    scope: Scope,
    caller: &Caller,
    arrival: &Arrival,
    parts: &mut Parts,
) -> Result<Act, Problem> {
    let declaration = &guard.declaration;
    let headers = &parts.headers;
    let reason = justification(headers, REASON, REASON_MAX)?;
    if reason.is_none() && declaration.needs_reason() {
        return Err(Problem::new(
            Code::ReasonRequired,
            "say why in X-Stella-Operator-Reason",
        ));
    }
    let ticket = justification(headers, TICKET, TICKET_MAX)?;
    if ticket.is_none() && declaration.needs_ticket() {
        return Err(Problem::new(
            Code::TicketRequired,
            "name the ticket in X-Stella-Operator-Ticket",
        ));
    }
    let key = match declaration.effect {
        Effect::Audited => key(headers, declaration.needs_key())?,
        // A worker's lease is its key.
        Effect::Granted | Effect::None => None,
    };
    let ids = parts
        .extensions
        .get::<RequestIds>()
        .cloned()
        .unwrap_or_else(|| RequestIds::read(headers));
    let body = Fingerprint::default();
    let asked = Asked {
        operation: guard.operation.0.to_string(),
        scope: scope.as_str(),
        line: format!("{} {}", parts.method, parts.uri),
        reason,
        ticket,
        body: body.clone(),
        source: Some(arrival.remote),
        key,
    };
    if asked.key.is_some() {
        parts.extensions.insert(body);
    }
    Ok(Act::new(caller.clone(), ids, asked))
}

/// Reads a header in which people justify themselves; an empty one says nothing.
fn justification(headers: &HeaderMap, name: &str, most: usize) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(name).into_iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).map(str::trim);
    match text {
        Ok("") if given.next().is_none() => Ok(None),
        Ok(text)
            if given.next().is_none()
                && text.chars().count() <= most
                && !text.chars().any(char::is_control) =>
        {
            Ok(Some(text.to_owned()))
        }
        Ok(_) | Err(_) => Err(Problem::new(
            Code::HeaderInvalid,
            format!("one {name} of at most {most} printable characters is taken"),
        )),
    }
}
