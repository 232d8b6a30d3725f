//! Why a stream ends: the last thing its reader is told.

use axum::body::Bytes;
use serde_json::json;

/// Why a stream ends. Each time the reader goes on later from its cursor; nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The reader's connection took nothing for too long.
    Slow,
    /// The service stops.
    Shutdown,
    /// The token has expired, or was revoked.
    Token,
    /// What came after the cursor is no longer kept.
    Expired,
}

impl End {
    /// The wire and metric spelling.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Shutdown => "shutdown",
            Self::Token => "token",
            Self::Expired => "expired",
        }
    }

    /// What the reader is told.
    const fn detail(self) -> &'static str {
        match self {
            Self::Slow => "the connection took nothing for too long; go on from the cursor",
            Self::Shutdown => {
                "the service stops; go on from the cursor, at another replica or later"
            }
            Self::Token => "the token holds no longer; go on from the cursor with a fresh one",
            Self::Expired => {
                "what came after the cursor is no longer kept; begin again without one"
            }
        }
    }

    /// The last event of a server-sent stream.
    pub(crate) fn sse(self, cursor: &str) -> Bytes {
        let told = json!({"reason": self.as_str(), "detail": self.detail(), "cursor": cursor});
        Bytes::from(format!("id: {cursor}\nevent: end\ndata: {told}\n\n"))
    }

    /// The last message of a WebSocket.
    pub(crate) fn message(self, cursor: &str) -> String {
        json!({"cursor": cursor, "end": {"reason": self.as_str(), "detail": self.detail()}})
            .to_string()
    }
}
