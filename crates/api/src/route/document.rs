//! The OpenAPI document: what the operations declare, and what the guard and the edge add to all.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Deprecated, Info, License, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    Response, Schema,
};

use jobengine_domain::caller::Scope;

use super::Route;
use super::declared::{Declaration, Effect, Needs};

/// Headers that say for whom a request is.
const TENANT: &str = "X-Stella-Tenant";
const PROJECT: &str = "X-Stella-Project";
/// The security scheme of every operation with a scope.
const BEARER: &str = "bearer";
/// The one refusal without a problem: it is given before there is a request that could be read.
const HEAD_TOO_LARGE: &str = "431";
/// Answers that any operation can give: guard, edge and store speak them.
const EVERYWHERE: [(&str, &str); 4] = [
    ("414", "The URL has more than 4 KiB (URL_TOO_LONG)"),
    (HEAD_TOO_LARGE, "The headers have more than 16 KiB; no body"),
    (
        "500",
        "A bug of ours; the log of the service has it (INTERNAL)",
    ),
    (
        "503",
        "Busy, or the database or an issuer's keys are away; try again after Retry-After (OVERLOADED, DATABASE_UNAVAILABLE, KEYS_UNAVAILABLE)",
    ),
];
/// Answers of whatever reads a body.
const WITH_BODY: [(&str, &str); 1] = [(
    "408",
    "The body did not come in time, or broke off (REQUEST_TIMEOUT)",
)];
/// Answers of the guard, where a token is needed.
const GUARDED: [(&str, &str); 5] = [
    (
        "400",
        "A header or a parameter cannot be read (HEADER_INVALID, PARAMETER_INVALID)",
    ),
    ("404", "No such project of this tenant (NOT_FOUND)"),
    (
        "401",
        "No good token or API key, or a proof without nonce (UNAUTHENTICATED, DPOP_NONCE_REQUIRED)",
    ),
    (
        "403",
        "The credential lacks the scope, or is for another tenant or project (SCOPE_MISSING, TENANT_MISMATCH, PROJECT_MISMATCH)",
    ),
    (
        "429",
        "Too many credentials from this address were refused; try again after Retry-After (RATE_LIMITED)",
    ),
];

/// Answers of the guard, where something is changed.
const AUDITED: [(&str, &str); 3] = [
    (
        "400",
        "A header cannot be read, or the key is missing (HEADER_INVALID, IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_MISSING)",
    ),
    (
        "409",
        "The same request is under way, or something changed meanwhile (IDEMPOTENCY_IN_PROGRESS, CONFLICT)",
    ),
    (
        "422",
        "The key was used for another request, or a reason or ticket is missing (IDEMPOTENCY_KEY_REUSED, REASON_REQUIRED, TICKET_REQUIRED)",
    ),
];

/// The one operation of a path item that utoipa made of one handler.
pub(super) fn operation(item: &PathItem) -> Option<(&'static str, &Operation)> {
    let all = [
        ("get", &item.get),
        ("put", &item.put),
        ("post", &item.post),
        ("delete", &item.delete),
        ("patch", &item.patch),
    ];
    let mut declared = all
        .into_iter()
        .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)));
    declared.next().filter(|_| declared.next().is_none())
}

fn operation_mut(item: &mut PathItem) -> Option<&mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .find_map(Option::as_mut)
}

/// Writes the document of all operations.
pub(super) fn write(routes: Vec<Route>, schemas: Vec<(String, RefOr<Schema>)>) -> OpenApi {
    let mut paths = Paths::new();
    for mut route in routes {
        if let Some(operation) = operation_mut(&mut route.item) {
            complete(operation, &route.declaration);
        }
        match paths.paths.get_mut(&route.path) {
            Some(item) => item.merge_operations(route.item),
            None => {
                paths.paths.insert(route.path, route.item);
            }
        }
    }
    let mut components = Components::new();
    components.schemas.extend(schemas);
    for (name, schema) in problem_schemas() {
        components.schemas.insert(name, schema);
    }
    components.security_schemes = BTreeMap::from([(
        BEARER.to_owned(),
        RefOr::T(SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(
                    "An access token (RFC 9068) of a trusted issuer, or a service API key (`jek_…`). A token that is bound to a key comes as `DPoP` with a proof (RFC 9449). Each operation names its scope.",
                ))
                .build(),
        )),
    )]);
    OpenApiBuilder::new()
        .info(info())
        .paths(paths)
        .components(Some(components))
        .build()
}

fn info() -> Info {
    let mut info = Info::new("JobEngine", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A ledger of jobs with leases and fences, and a scheduler that works out which images a change \
         of an advisory, a VEX statement or an SBOM hits."
            .to_owned(),
    );
    info.license = Some(License::new("Apache-2.0"));
    info
}

fn problem_schemas() -> [(String, RefOr<Schema>); 2] {
    use crate::problem::{FieldError, ProblemBody};
    use utoipa::{PartialSchema as _, ToSchema as _};
    [
        (ProblemBody::name().into_owned(), ProblemBody::schema()),
        (FieldError::name().into_owned(), FieldError::schema()),
    ]
}

/// Headers that the guard reads: name, text, longest value.
fn add_headers(operation: &mut Operation, declaration: &Declaration) {
    let header = |name: &str, text: &str, most: usize, required: bool| -> RefOr<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(most));
        let required = if required {
            Required::True
        } else {
            Required::False
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .description(Some(text))
            .required(required)
            .schema(Some(schema))
            .build()
            .into()
    };
    let parameters = operation.parameters.get_or_insert_default();
    let insists = parameters
        .iter()
        .any(|it| matches!(it, RefOr::T(it) if it.name == TENANT));
    if declaration.needs != Needs::Nothing && !insists {
        let text = "May repeat the token's tenant; it never chooses one.";
        parameters.push(header(TENANT, text, 36, false));
    }
    // Workers serve a whole tenant.
    if !matches!(
        declaration.needs,
        Needs::Nothing | Needs::Token(Scope::Worker)
    ) {
        let text = "Binds the request to this project of the tenant; a token that is bound to one takes no other.";
        parameters.push(header(PROJECT, text, 36, false));
    }
    if declaration.effect == Effect::Audited {
        parameters.push(header(
            "Idempotency-Key",
            "The caller's name for this request: a repeat with the same key and body within 7 days is answered alike and changes nothing.",
            128,
            declaration.needs_key(),
        ));
        parameters.push(header(
            "X-Stella-Operator-Reason",
            "Why; it stands in the audit trail.",
            256,
            declaration.needs_reason(),
        ));
        parameters.push(header(
            "X-Stella-Operator-Ticket",
            "Where that is written down; it stands in the audit trail.",
            128,
            declaration.needs_ticket(),
        ));
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

fn complete(operation: &mut Operation, declaration: &Declaration) {
    operation.deprecated = declaration.deprecated.as_ref().map(|_| Deprecated::True);
    add_headers(operation, declaration);
    let has_body = operation.request_body.is_some();
    let responses = &mut operation.responses.responses;
    let mut add = |(status, text): (&str, &str)| {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(Response::new(text)));
    };
    EVERYWHERE.into_iter().for_each(&mut add);
    if has_body {
        WITH_BODY.into_iter().for_each(&mut add);
    }
    if declaration.effect == Effect::Audited {
        AUDITED.into_iter().for_each(&mut add);
    }
    match declaration.needs {
        Needs::Nothing => operation.security = Some(Vec::new()),
        Needs::Token(scope) => {
            GUARDED.into_iter().for_each(&mut add);
            let requirement = SecurityRequirement::new(BEARER, [scope.as_str()]);
            operation.security = Some(vec![requirement]);
        }
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let problem = status.as_str() >= "400" && status != HEAD_TOO_LARGE;
        if problem && response.content.is_empty() {
            let schema = Ref::from_schema_name("ProblemBody");
            response.content.insert(
                "application/problem+json".to_owned(),
                RefOr::T(Content::new(Some(schema))),
            );
        }
    }
}
