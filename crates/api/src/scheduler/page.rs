//! The parameters of every list.

use serde::Deserialize;
use utoipa::IntoParams;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// Most items of the page, 1 to 500; 100 when it is left out.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The token of the page before.
    pub continuation_token: Option<String>,
}
