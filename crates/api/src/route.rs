//! The route table: an operation says its scope, or the server does not start.
//!
//! An operation is declared once, in its own file: `#[utoipa::path]` holds path, text, responses
//! and, as the extension `x-scope`, the scope that its token must carry. The table reads that
//! declaration, enforces it before the handler runs, and publishes it in the OpenAPI document. An
//! operation that is not a GET also says in `x-effect` how a repeat of it is harmless.

mod access;
mod declared;
mod deprecated;
mod document;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::{OpenApi, RefOr, Schema};

use crate::edge::Verbs;
use crate::state::AppState;
use access::Guard;
use declared::Declaration;

/// A handler has so long, its request's body included.
const HANDLER_MAX: Duration = Duration::from_secs(15);
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
    declaration: Declaration,
    within: Duration,
    handler: MethodRouter<AppState>,
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
        let (method, operation) = document::operation(&item).unwrap_or_else(|| {
            panic!("{path}: add the operations one by one: each has its own scope")
        });
        let name = operation
            .operation_id
            .clone()
            .unwrap_or_else(|| panic!("{path} has an operation without a name"));
        let declaration = Declaration::read(&path, method, operation).unwrap_or_else(|complaint| {
            panic!("the operation {name} ({path}) {complaint}: nothing is served undeclared")
        });
        self.routes.push(Route {
            path,
            item,
            name,
            declaration,
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
            let guard = Guard::new(state.clone(), &route.name, route.declaration, route.within);
            let handler = route
                .handler
                .route_layer(from_fn_with_state(guard, access::admit));
            router = router.route(&path, handler);
        }
        (router, Verbs::new(verbs))
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(
                self.routes
                    .iter()
                    .map(|route| (&route.name, &route.path, &route.declaration)),
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

    #[utoipa::path(post, path = "/d", extensions(("x-scope" = json!("orch:operate"))), responses((status = 200, description = "ok")))]
    async fn unsafe_without_effect() {}

    #[test]
    fn a_declared_scope_is_kept() {
        let table = Routes::new().nest("/v1", Routes::new().add(routes!(declared)));
        assert_eq!(
            table.routes[0].declaration.needs,
            declared::Needs::Token(jobengine_domain::caller::Scope::Read)
        );
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

    #[test]
    #[should_panic(expected = "declares no x-effect")]
    fn nothing_changes_anything_without_saying_how_it_is_repeated() {
        let _ = Routes::new().add(routes!(unsafe_without_effect));
    }
}
