//! Who gets the next job: one each in turn, those who wait longest first.

/// Deals up to `cards` cards to hands that take so many each; the answer names the hand of each card.
pub(super) fn deal(room: &[u32], cards: usize) -> Vec<usize> {
    let mut left = room.to_vec();
    let total: usize = room.iter().map(|room| *room as usize).sum();
    let mut dealt = Vec::with_capacity(cards.min(total));
    while dealt.len() < cards {
        let before = dealt.len();
        for (hand, left) in left.iter_mut().enumerate() {
            if *left > 0 && dealt.len() < cards {
                *left -= 1;
                dealt.push(hand);
            }
        }
        if dealt.len() == before {
            break;
        }
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::deal;

    #[test]
    fn cards_go_round_until_hands_or_cards_run_out() {
        assert_eq!(deal(&[2, 1, 3], 10), [0, 1, 2, 0, 2, 2]);
        assert_eq!(deal(&[2, 1, 3], 4), [0, 1, 2, 0]);
        assert_eq!(deal(&[0, 5], 2), [1, 1]);
        assert!(deal(&[], 3).is_empty());
        assert!(deal(&[0, 0], 3).is_empty());
    }
}
