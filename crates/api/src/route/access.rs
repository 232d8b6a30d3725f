//! The guard before each operation: token, tenant, scope, time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jobengine_domain::id::TenantId;

use super::Needs;
use crate::clock;
use crate::edge::Operation;
use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A tenant header may repeat the token's tenant; it never chooses one.
const TENANT: &str = "x-stella-tenant";

/// What stands between a request and one handler.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: AppState,
    operation: Operation,
    needs: Needs,
    within: Duration,
}

impl Guard {
    pub(super) fn new(state: AppState, name: &str, needs: Needs, within: Duration) -> Self {
        let operation = Operation(name.into());
        Self(Arc::new(Inner {
            state,
            operation,
            needs,
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
    response.extensions_mut().insert(guard.operation.clone());
    response
}

fn identify(guard: &Inner, request: &mut Request) -> Result<(), Problem> {
    let Needs::Token(scope) = guard.needs else {
        return Ok(());
    };
    let header = request.headers().get(AUTHORIZATION);
    let caller: Caller = guard
        .state
        .authenticator()
        .authenticate(header, clock::wall())?;
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
    request.extensions_mut().insert(caller);
    Ok(())
}
