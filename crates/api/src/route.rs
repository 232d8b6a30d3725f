//! The route table: an operation says its scope, or the server does not start.
//!
//! An operation is declared once, in its own file: `#[utoipa::path]` holds path, text, responses
//! and, as the extension `x-scope`, the scope that its token must carry. The table reads that
//! declaration, enforces it before the handler runs, and publishes it in the OpenAPI document.

mod access;
mod document;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use jobengine_domain::caller::Scope;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::{OpenApi, RefOr, Schema};

use crate::edge::Verbs;
use crate::state::AppState;
use access::Guard;

/// A handler has so long, its request's body included.
const HANDLER_MAX: Duration = Duration::from_secs(15);
/// The extension of an operation that names its scope.
const X_SCOPE: &str = "x-scope";
/// The scope of an operation that needs no token.
const PUBLIC: &str = "public";

/// What utoipa's `routes!` makes of one handler.
pub(crate) type Declared = (Vec<(String, RefOr<Schema>)>, Paths, MethodRouter<AppState>);

/// Operations with their scopes, on the way to a router and a document.
#[derive(Default)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

struct Route {
    path: String,
    item: PathItem,
    name: String,
    needs: Needs,
    within: Duration,
    handler: MethodRouter<AppState>,
}

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Token(Scope),
}

impl Routes {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds one operation, as `routes!` made it.
    ///
    /// # Panics
    /// When the operation declares no scope, an unknown one, or no name: our own bug, found at the
    /// first start and by every test.
    #[must_use]
    pub(crate) fn add(self, declared: Declared) -> Self {
        self.add_within(HANDLER_MAX, declared)
    }

    /// Adds one operation that may take longer than others.
    ///
    /// # Panics
    /// As [`Routes::add`].
    #[must_use]
    pub(crate) fn add_within(mut self, within: Duration, declared: Declared) -> Self {
        let (schemas, paths, handler) = declared;
        let mut paths = paths.paths.into_iter();
        let (Some((path, item)), None) = (paths.next(), paths.next()) else {
            panic!("add the operations one by one: each has its own scope");
        };
        let operation = document::operation(&item).unwrap_or_else(|| {
            panic!("{path}: add the operations one by one: each has its own scope")
        });
        let name = operation
            .operation_id
            .clone()
            .unwrap_or_else(|| panic!("{path} has an operation without a name"));
        let needs = needs(operation).unwrap_or_else(|complaint| {
            panic!("the operation {name} ({path}) {complaint}: nothing is served without a scope")
        });
        self.routes.push(Route {
            path,
            item,
            name,
            needs,
            within,
            handler,
        });
        self.schemas.extend(schemas);
        self
    }

    /// Adds the operations of another table below a path.
    #[must_use]
    pub(crate) fn nest(mut self, below: &str, other: Self) -> Self {
        self.routes
            .extend(other.routes.into_iter().map(|route| Route {
                path: format!("{below}{}", route.path),
                ..route
            }));
        self.schemas.extend(other.schemas);
        self
    }

    /// Adds the operations of another table.
    #[must_use]
    pub(crate) fn merge(self, other: Self) -> Self {
        self.nest("", other)
    }

    /// The OpenAPI document of these operations.
    pub(crate) fn document(self) -> OpenApi {
        document::write(self.routes, self.schemas)
    }

    /// The router, each operation behind its guard, and the verbs that have to be made paths.
    pub(crate) fn router(self, state: &AppState) -> (Router<AppState>, Verbs) {
        let mut router = Router::new();
        let mut verbs = BTreeSet::new();
        for route in self.routes {
            let (path, verb) = Verbs::inner(&route.path);
            verbs.extend(verb);
            let guard = Guard::new(state.clone(), &route.name, route.needs, route.within);
            let handler = route
                .handler
                .route_layer(from_fn_with_state(guard, access::admit));
            router = router.route(&path, handler);
        }
        (router, Verbs::new(verbs))
    }
}

fn needs(operation: &Operation) -> Result<Needs, String> {
    let scope = operation
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get(X_SCOPE))
        .ok_or_else(|| format!("declares no {X_SCOPE}"))?;
    match scope.as_str() {
        Some(PUBLIC) => Ok(Needs::Nothing),
        Some(scope) => scope
            .parse()
            .map(Needs::Token)
            .map_err(|error| format!("declares a bad {X_SCOPE}: {error}")),
        None => Err(format!("declares an {X_SCOPE} that is not a text")),
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(
                self.routes
                    .iter()
                    .map(|route| (&route.name, &route.path, route.needs)),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa_axum::routes;

    #[utoipa::path(get, path = "/a", extensions(("x-scope" = json!("orch:read"))), responses((status = 200, description = "ok")))]
    async fn declared() {}

    #[utoipa::path(get, path = "/b", responses((status = 200, description = "ok")))]
    async fn undeclared() {}

    #[utoipa::path(get, path = "/c", extensions(("x-scope" = json!("orch:everything"))), responses((status = 200, description = "ok")))]
    async fn unknown() {}

    #[test]
    fn a_declared_scope_is_kept() {
        let table = Routes::new().nest("/v1", Routes::new().add(routes!(declared)));
        assert_eq!(table.routes[0].needs, Needs::Token(Scope::Read));
        assert_eq!(table.routes[0].path, "/v1/a");
    }

    #[test]
    #[should_panic(expected = "the operation undeclared (/b) declares no x-scope")]
    fn nothing_starts_without_a_scope() {
        let _ = Routes::new().add(routes!(undeclared));
    }

    #[test]
    #[should_panic(expected = "`orch:everything` is not a scope")]
    fn nothing_starts_with_a_scope_nobody_knows() {
        let _ = Routes::new().add(routes!(unknown));
    }
}
