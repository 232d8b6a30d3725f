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

/// Draws an id whose time is exactly `at`, to the microsecond: ids of later moments are greater, also those that
/// another process draws. As `uuid_at` does in the database.
pub(crate) fn draw_at(at: Timestamp) -> Uuid {
    const MICRO_STEPS: u64 = 4_096;
    let micros = at.as_micros().max(0).cast_unsigned();
    let fraction = micros % 1_000 * MICRO_STEPS / 1_000;
    let mut bytes = *draw::<Uuid>(at).as_bytes();
    bytes[..8].copy_from_slice(&((micros / 1_000) << 16 | 0x7000 | fraction).to_be_bytes());
    Uuid::from_bytes(bytes)
}

/// Draws `count` ids of one moment, as [`draw_at`] does, in order.
pub(crate) fn draw_many_at(at: Timestamp, count: usize) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..count).map(|_| draw_at(at)).collect();
    ids.sort_unstable();
    ids
}

/// Draws `count` ids in order.
pub(crate) fn draw_many<T: From<Uuid>>(now: Timestamp, count: usize) -> Vec<T> {
    (0..count).map(|_| draw(now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_later_moments_are_greater_whenever_they_are_drawn() {
        let moment = |micros: i64| Timestamp::from_micros(1_767_225_600_123_000 + micros);
        let later: Vec<Uuid> = (0..2_000).rev().map(|at| draw_at(moment(at))).collect();
        assert!(later.is_sorted_by(|a, b| a > b));
        assert_eq!(later[0].get_version_num(), 7);
        assert_eq!(later[0].get_variant(), uuid::Variant::RFC4122);
        let same = draw_many_at(moment(999), 100);
        assert!(same.is_sorted_by(|a, b| a < b) && same[0] < draw_at(moment(1_000)));
    }

    #[test]
    fn ids_keep_the_order_of_drawing() {
        let ids: Vec<Uuid> = draw_many(Timestamp::from_micros(1_767_225_600_123_456), 5_000);
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
