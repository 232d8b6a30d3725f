//! Where ids come from: the database's clock and the system's random source, in order.

use std::sync::Mutex;

use jobengine_domain::time::Timestamp;
use uuid::{ContextV7, Uuid};

/// Keeps ids drawn within one millisecond in the order of drawing.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Draws a fresh `UUIDv7` at `now`, the transaction's clock.
pub fn draw<T: From<Uuid>>(now: Timestamp) -> T {
    let context = CONTEXT
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let micros = now.as_micros().max(0).cast_unsigned();
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).expect("below a thousand million");
    Uuid::new_v7(uuid::Timestamp::from_unix(
        &*context,
        micros / 1_000_000,
        nanos,
    ))
    .into()
}

/// Draws `count` ids in order.
pub(crate) fn draw_many<T: From<Uuid>>(now: Timestamp, count: usize) -> Vec<T> {
    (0..count).map(|_| draw(now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_the_order_of_drawing() {
        let ids: Vec<Uuid> = draw_many(Timestamp::from_micros(1_767_225_600_123_456), 5_000);
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
