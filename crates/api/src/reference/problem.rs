//! An example of every problem that an operation says it answers with.
//!
//! Operations name the codes of a status in its text, `(LEASE_LOST, SESSION_TAKEN)`: the examples are
//! the very bodies that the service writes.

use jobengine_impact::document::DocumentCode;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{OpenApi, RefOr};

use super::operations;
use crate::edge::RequestIds;
use crate::problem::{Code, Problem};

/// The media type of RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// Writes the examples into every answer that is a problem.
pub(super) fn exemplify(document: &mut OpenApi) {
    let responses =
        operations(document).flat_map(|operation| operation.responses.responses.values_mut());
    for response in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let Some(RefOr::T(content)) = response.content.get_mut(PROBLEM) else {
            continue;
        };
        for code in codes(&response.description) {
            let body = Problem::new(code, code.title()).body(&ids());
            let example = ExampleBuilder::new()
                .summary(code.title())
                .value(serde_json::to_value(body).ok())
                .build();
            content
                .examples
                .insert(code.as_str().to_owned(), RefOr::T(example));
        }
    }
}

/// The codes that a text names.
fn codes(text: &str) -> impl Iterator<Item = Code> {
    text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .filter_map(known)
}

fn known(word: &str) -> Option<Code> {
    let documents = DocumentCode::ALL.iter().copied().map(Code::Document);
    let mut all = Code::OWN.iter().copied().chain(documents);
    all.find(|code| code.as_str() == word)
}

/// The names of the request in the examples.
fn ids() -> RequestIds {
    RequestIds {
        request_id: "r-20260101-0001".to_owned(),
        span_id: "b7ad6b7169203331".to_owned(),
        parent: None,
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        correlation_id: "c-81".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_out_of_the_text() {
        let found: Vec<&str> = codes("Held by another (LEASE_LOST, SESSION_TAKEN), or DOCUMENT_…")
            .map(Code::as_str)
            .collect();
        assert_eq!(found, ["LEASE_LOST", "SESSION_TAKEN"]);
    }
}
