//! Cursors as readers hold them: opaque, authenticated, of one tenant, and of one history of the database.

use jobengine_domain::stream::Cursor;

use crate::page::Pages;
use crate::problem::{Code, Problem};

/// The stream and its order, as its tokens name it.
const BY: &str = "event txid event_id";

/// The token of a cursor.
pub(crate) fn write(pages: Pages<'_>, cursor: &Cursor) -> String {
    pages.continuation(BY, cursor)
}

/// Reads a token.
///
/// # Errors
/// `PAGE_TOKEN_INVALID` for what is not a cursor of this tenant.
pub(crate) fn read(pages: Pages<'_>, token: &str) -> Result<Cursor, Problem> {
    pages
        .resume(BY, Some(token))?
        .ok_or_else(|| Problem::new(Code::PageTokenInvalid, "start again without a cursor"))
}
