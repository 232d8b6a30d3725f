//! Parameters that mean the same wherever they stand, bounded once.

use jobengine_domain::defaults::{PAGE, PAGE_MAX};
use jobengine_impact::package::Ecosystem;
use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{
    KnownFormat, ObjectBuilder, OpenApi, RefOr, Required, Schema, SchemaFormat, Type,
};

use super::operations;
use crate::page::TOKEN_MAX;

/// A SHA-256 digest as we spell it.
const DIGEST: &str = "^sha256:[0-9a-f]{64}$";
/// At least one character, and none that cannot be printed.
const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";
/// The same where nothing may be said too; and what is said is more than blanks.
const SAID_IF_AT_ALL: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
const SAID: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0][^\u0000-\u001f\u007f-\u009f]*$";
/// Visible ASCII characters.
const KEY: &str = "^[!-~]{1,128}$";
/// Names that clients choose, and how long each may be.
const NAMES: [(&str, usize); 7] = [
    ("flaw", 300),
    ("source", 200),
    ("repository", 500),
    ("location", 500),
    ("document", 500),
    ("tag", 128),
    ("namespace", 253),
];

/// Gives the common parameters their bounds.
pub(super) fn bound(document: &mut OpenApi) {
    let parameters = operations(document).filter_map(|operation| operation.parameters.as_mut());
    for parameter in parameters.flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(schema) = known(parameter)
        {
            parameter.schema = Some(RefOr::T(Schema::Object(schema.build())));
        }
    }
}

fn known(parameter: &mut Parameter) -> Option<ObjectBuilder> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    match (&parameter.parameter_in, parameter.name.as_str()) {
        (ParameterIn::Query, "limit") => Some(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(Some(1))
                .maximum(Some(PAGE_MAX))
                .default(Some(json!(PAGE))),
        ),
        (ParameterIn::Query, "continuationToken") => {
            parameter.description = Some(
                "Where the page before ended: its `continuationToken`, as it came. Opaque, of one list and \
                 one tenant; anything else is refused (PAGE_TOKEN_INVALID)."
                    .to_owned(),
            );
            Some(text().min_length(Some(1)).max_length(Some(TOKEN_MAX)))
        }
        (ParameterIn::Path, "digest") | (ParameterIn::Query, "image" | "sbom") => {
            Some(text().pattern(Some(DIGEST)))
        }
        (ParameterIn::Header, "Idempotency-Key") => Some(text().pattern(Some(KEY))),
        (ParameterIn::Header, "X-Stella-Operator-Reason") => Some(said(parameter, 256)),
        (ParameterIn::Header, "X-Stella-Operator-Ticket") => Some(said(parameter, 128)),
        (ParameterIn::Query, "package") => Some(text().pattern(Some(package()))),
        (ParameterIn::Query, name) => {
            let (_, most) = NAMES.iter().find(|(known, _)| *known == name)?;
            let name = text().pattern(Some(PRINTABLE)).min_length(Some(1));
            Some(name.max_length(Some(*most)))
        }
        _ => None,
    }
}

/// What people say of why: an empty header says nothing, which is too little where it is needed.
fn said(parameter: &Parameter, most: usize) -> ObjectBuilder {
    let needed = matches!(parameter.required, Required::True);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(if needed { SAID } else { SAID_IF_AT_ALL }))
        .max_length(Some(most))
}

/// A package as findings name it: `npm/left-pad`, `Debian:12/openssl`.
fn package() -> String {
    let systems = Ecosystem::ALL
        .map(Ecosystem::as_str)
        .join("|")
        .replace('.', r"\.");
    format!(r"^(?:{systems})(?::[^/]*)?/[\s\S]+$")
}
