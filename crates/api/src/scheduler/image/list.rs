//! `GET /images`: the fleet, page by page.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Image;
use crate::identity::Caller;
use crate::page::{after_page, page_limit, resume};
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::page::PageParams;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "images";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(image_list))
}

/// A page of images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImagePage {
    /// In the order in which they became known.
    items: Vec<Image>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the images
#[utoipa::path(
    get, path = "/images", operation_id = "image_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(PageParams),
    responses(
        (status = 200, description = "A page of images", body = ImagePage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn image_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Json<ImagePage>, Problem> {
    let limit = page_limit(page.limit)?;
    let after: Option<u32> = resume(BY, page.continuation_token.as_deref())?;
    let tx = state.store().begin(&caller).await?;
    let records = tx.image_list(None, after, limit).await?;
    tx.commit().await?;
    let continuation_token = after_page(BY, &records, limit, |last| last.number);
    Ok(Json(ImagePage {
        items: records.into_iter().map(Image::of).collect(),
        continuation_token,
    }))
}
