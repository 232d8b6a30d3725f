//! Reading an answer's body for courtesy, and never more of it than a bound.

use reqwest::Response;

/// Bytes of an answer that are read before the connection is closed.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// Reads the body to its end or to the bound and keeps nothing: a receiver that is cut off in the
/// middle of a short answer would log an error of ours.
pub(super) async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read >= BODY_MAX_BYTES {
            return;
        }
    }
}
