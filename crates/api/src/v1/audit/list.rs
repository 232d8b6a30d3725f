//! `GET /audit`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::AuditId;
use jobengine_domain::time::Timestamp;
use jobengine_store::AuditFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::AuditView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "audit_id desc";

/// Which rows, and how many: all of what is named must fit
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only what this principal did.
    #[param(max_length = 256)]
    subject: Option<String>,
    /// Only this operation.
    #[param(max_length = 256)]
    operation: Option<String>,
    /// Only changes of this kind of thing.
    #[param(max_length = 256)]
    object_kind: Option<String>,
    /// Only changes of the thing of this name.
    #[param(max_length = 256)]
    object_id: Option<String>,
    /// Only from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of the audit trail
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditPage {
    /// The changes, newest first.
    items: Vec<AuditView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List changes
///
/// Newest first. Every operation that changed something left a row, committed with the change. A search
/// looks at some ten thousand rows at most: when few of them pass, the page is short or even empty and its
/// token leads on. Only a null token says that there are no more.
#[utoipa::path(
    get, path = "/audit", operation_id = "audit_list", tag = "audit",
    extensions(("x-scope" = json!("orch:audit"))),
    params(Query),
    responses(
        (status = 200, description = "A page of changes", body = AuditPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<AuditPage>, Problem> {
    caller.require_whole_tenant()?;
    let texts = [
        &query.subject,
        &query.operation,
        &query.object_kind,
        &query.object_id,
    ];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.contains('\0') || text.chars().count() > 256)
    {
        return Err(Problem::new(
            Code::ParameterInvalid,
            "a filter has at most 256 characters, and no NUL",
        ));
    }
    let limit = page_limit(query.limit)?;
    let filter = AuditFilter {
        subject: query.subject,
        operation: query.operation,
        object_kind: query.object_kind,
        object_id: query.object_id,
        from: query.from,
        until: query.until,
        below: caller
            .pages()
            .resume::<AuditId>(BY, query.continuation_token.as_deref())?,
        limit,
    };
    let tx = state.store().read(&caller).await?;
    let (rows, resume) = tx.audit_list(&filter).await?;
    tx.commit().await?;
    Ok(Json(AuditPage {
        continuation_token: resume.map(|last| caller.pages().continuation(BY, &last)),
        items: rows.into_iter().map(AuditView::from).collect(),
    }))
}
