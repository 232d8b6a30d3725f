//! Lists come in pages.

use serde::{Deserialize, Serialize};

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Most items, 1 to 500; 100 unless said otherwise.
    pub limit: Option<u32>,
    /// [`Page::continuation_token`] of the page before; the first page without it.
    pub continuation_token: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// In the list's own order, which is total and stable.
    pub items: Vec<T>,
    /// Opaque; asks for the next page. Absent on the last one.
    #[serde(default)]
    pub continuation_token: Option<String>,
}
