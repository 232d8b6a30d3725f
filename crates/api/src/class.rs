//! Failure classes as the contract names them.

use std::borrow::Cow;

use jobengine_domain::class::FailureClass;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Stands for [`FailureClass`] in the document: that crate knows nothing of OpenAPI.
pub(crate) struct ClassName;

impl PartialSchema for ClassName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Why an attempt failed"))
            .enum_values(Some(FailureClass::ALL.map(FailureClass::as_str)))
            .examples([FailureClass::Network.as_str()])
            .into()
    }
}

impl ToSchema for ClassName {
    fn name() -> Cow<'static, str> {
        "FailureClass".into()
    }
}
