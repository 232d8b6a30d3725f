//! The guard before each operation: token, tenant, scope, justification, key, time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;

use super::declared::{Declaration, Deprecated, Effect, Needs};
use crate::act::{Act, Asked, Fingerprint, key};
use crate::clock;
use crate::edge::{Operation, RequestIds};
use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A tenant header may repeat the token's tenant; it never chooses one.
const TENANT: &str = "x-stella-tenant";
/// Why somebody does what has to be justified.
const REASON: &str = "x-stella-operator-reason";
/// Longest reason, in characters.
const REASON_MAX: usize = 256;
/// Where that is written down.
const TICKET: &str = "x-stella-operator-ticket";
/// Longest ticket, in characters.
const TICKET_MAX: usize = 128;

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
pub(super) async fn admit(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let guard = &*guard.0;
    let mut response = match identify(guard, &mut request) {
        Err(problem) => problem.into_response(),
        Ok(()) => match tokio::time::timeout(guard.within, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(
                Code::Overloaded,
                format!("not done within {} s", guard.within.as_secs()),
            )
            .into_response(),
        },
    };
    if let Some(deprecated) = &guard.declaration.deprecated {
        announce_end(response.headers_mut(), deprecated);
    }
    response.extensions_mut().insert(guard.operation.clone());
    response
}

fn identify(guard: &Inner, request: &mut Request) -> Result<(), Problem> {
    let Needs::Token(scope) = guard.declaration.needs else {
        return Ok(());
    };
    let header = request.headers().get(AUTHORIZATION);
    let caller = guard
        .state
        .authenticator()
        .authenticate(header, clock::wall())?;
    let caller = Caller::new(caller, guard.state.secret().clone());
    if let Some(tenant) = request.headers().get(TENANT) {
        let named = tenant.to_str().ok().and_then(|text| text.parse().ok());
        if named != Some::<TenantId>(caller.tenant) {
            return Err(Problem::new(
                Code::TenantMismatch,
                "the tenant comes from the token; X-Stella-Tenant may only repeat it",
            ));
        }
    }
    caller.require(scope)?;
    if scope == Scope::Worker && caller.project.is_some() {
        return Err(Problem::new(
            Code::ProjectMismatch,
            "workers serve a whole tenant: use a token that is not bound to a project",
        ));
    }
    if guard.declaration.effect != Effect::None {
        let act = act(guard, scope, &caller, request)?;
        request.extensions_mut().insert(act);
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// Who asks for what, why and under which key.
fn act(
    guard: &Inner,
    scope: Scope,
    caller: &Caller,
    request: &mut Request,
) -> Result<Act, Problem> {
    let declaration = &guard.declaration;
    let headers = request.headers();
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
    let ids = request
        .extensions()
        .get::<RequestIds>()
        .cloned()
        .unwrap_or_else(|| RequestIds::read(headers));
    let body = Fingerprint::default();
    let asked = Asked {
        operation: guard.operation.0.to_string(),
        scope: scope.as_str(),
        line: format!("{} {}", request.method(), request.uri()),
        reason,
        ticket,
        body: body.clone(),
        source: source(request),
        key,
    };
    if asked.key.is_some() {
        request.extensions_mut().insert(body);
    }
    Ok(Act::new(caller.clone(), ids, asked))
}

/// The address that the request came from.
fn source(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<SocketAddr>().map(SocketAddr::ip)
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

/// Says that an operation will go away (RFC 9745, RFC 8594), and where to go instead.
fn announce_end(headers: &mut HeaderMap, deprecated: &Deprecated) {
    let link = format!("<{}>; rel=\"successor-version\"", deprecated.successor);
    for (name, value) in [
        ("deprecation", format!("@{}", deprecated.since)),
        ("sunset", deprecated.sunset.clone()),
        ("link", link),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
