//! Verbs on a resource: `POST /runs/{runId}:cancel`.
//!
//! The router's segments are either fixed or a parameter, so a verb becomes a segment of its own
//! before routing: `/runs/7:cancel` is looked up as `/runs/7/~cancel`. Only the verbs of the route table are
//! touched, and the inner spelling cannot be used from outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::Uri;

/// The verbs of the route table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verbs(Arc<BTreeSet<String>>);

/// Between a resource and its verb inside the router.
const INNER: &str = "/~";
/// What [`INNER`] becomes when it comes from outside: the router has no such path.
const FOREIGN: &str = "/~~";

impl Verbs {
    pub(crate) fn new(verbs: BTreeSet<String>) -> Self {
        Self(Arc::new(verbs))
    }

    /// The path under which the router keeps an operation, and its verb.
    pub(crate) fn inner(path: &str) -> (String, Option<String>) {
        match path.rsplit_once("}:") {
            Some((resource, verb)) => (format!("{resource}}}{INNER}{verb}"), Some(verb.to_owned())),
            None => (path.to_owned(), None),
        }
    }

    /// Rewrites the path of a request for the router.
    pub(crate) fn rewrite(&self, mut request: Request) -> Request {
        if let Some(path) = self.inner_path(request.uri().path()) {
            let query = request.uri().query().map(|query| format!("?{query}"));
            let uri = format!("{path}{}", query.unwrap_or_default());
            *request.uri_mut() = uri.parse().unwrap_or_else(|_| Uri::from_static("/"));
        }
        request
    }

    fn inner_path(&self, path: &str) -> Option<String> {
        if path.contains(INNER) {
            return Some(path.replace(INNER, FOREIGN));
        }
        let (resource, verb) = [":", "%3A", "%3a"]
            .into_iter()
            .find_map(|colon| path.rsplit_once(colon))?;
        // Whatever the method: another one is told which the verb takes.
        self.0
            .contains(verb)
            .then(|| format!("{resource}{INNER}{verb}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(path: &str) -> String {
        let verbs = Verbs::new(BTreeSet::from(["cancel".to_owned()]));
        let request = Request::get(path).body(axum::body::Body::empty());
        verbs.rewrite(request.unwrap()).uri().to_string()
    }

    #[test]
    fn only_known_verbs_are_taken_apart() {
        assert_eq!(inner("/runs/7:cancel?a=1"), "/runs/7/~cancel?a=1");
        assert_eq!(inner("/runs/7%3Acancel"), "/runs/7/~cancel");
        assert_eq!(inner("/images/sha256:abc"), "/images/sha256:abc");
        assert_eq!(inner("/runs/7"), "/runs/7");
        let (path, verb) = Verbs::inner("/runs/{runId}:cancel");
        assert_eq!(path, "/runs/{runId}/~cancel");
        assert_eq!(verb.as_deref(), Some("cancel"));
    }

    #[test]
    fn the_inner_spelling_cannot_come_from_outside() {
        assert_eq!(inner("/runs/7/~cancel"), "/runs/7/~~cancel");
    }
}
