//! Headers that every request may carry and every answer does.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr, Required, Type};

use super::operations;

/// Headers of a request: component, name, meaning. Those that the guard reads stand in `route/document.rs`.
const OF_REQUESTS: [(&str, &str, &str); 3] = [
    (
        "RequestId",
        "X-Request-Id",
        "Your name for this request: 8 to 64 letters, digits, `-`, `_`, `.` and `:`. Anything else is \
         ignored and a fresh one made. It comes back in the answer.",
    ),
    (
        "CorrelationId",
        "X-Correlation-Id",
        "Your name for what you are doing, across many requests: it follows jobs, events and logs. The \
         request's own id unless said otherwise.",
    ),
    (
        "Traceparent",
        "traceparent",
        "The trace this request belongs to (W3C Trace Context). Ignored when it is malformed.",
    ),
];

/// Headers of an answer: component, name, meaning, and with which statuses (none: all).
const OF_ANSWERS: [(&str, &str, &str, &[&str]); 4] = [
    (
        "RequestIdAnswered",
        "X-Request-Id",
        "The name of the request: yours, or a fresh one.",
        &[],
    ),
    (
        "CorrelationIdAnswered",
        "X-Correlation-Id",
        "Under which name logs, jobs and events know it.",
        &[],
    ),
    (
        "RetryAfter",
        "Retry-After",
        "Seconds to wait before the request is sent again.",
        &["429", "503"],
    ),
    (
        "WwwAuthenticate",
        "WWW-Authenticate",
        "Which credentials are taken. Never says what was wrong with those that came.",
        &["401"],
    ),
];

/// Declares the headers as components, and every operation's use of them.
pub(super) fn declare(document: &mut OpenApi) {
    for operation in operations(document) {
        ask(operation);
        answer(operation);
    }
    let components = document.components.get_or_insert_default();
    for (component, name, text) in OF_REQUESTS {
        components
            .parameters
            .insert(component.to_owned(), RefOr::T(asked(name, text)));
    }
    for (component, _, text, _) in OF_ANSWERS {
        components
            .headers
            .insert(component.to_owned(), RefOr::T(answered(text)));
    }
}

fn ask(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    for (component, ..) in OF_REQUESTS {
        let reference = Ref::new(format!("#/components/parameters/{component}"));
        parameters.push(RefOr::Ref(reference));
    }
}

fn answer(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        for (component, name, _, with) in OF_ANSWERS {
            if with.is_empty() || with.contains(&status.as_str()) {
                let reference = Ref::new(format!("#/components/headers/{component}"));
                response
                    .headers
                    .insert(name.to_owned(), RefOr::Ref(reference));
            }
        }
    }
}

fn asked(name: &str, text: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn answered(text: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .description(Some(text))
        .build()
}
