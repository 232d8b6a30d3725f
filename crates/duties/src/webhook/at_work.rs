//! Which webhooks are being worked on, and which have to rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jobengine_domain::id::{TenantId, WebhookId};
use tokio::time::Instant;

/// Webhooks worked on at a time, of a whole process.
const WEBHOOKS: usize = 64;
/// Webhooks of one tenant worked on at a time: the others' share is not for it to take.
const WEBHOOKS_PER_TENANT: usize = 8;

/// The webhooks of a process that somebody works on or that rest. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct AtWork(Arc<Mutex<BTreeMap<(TenantId, WebhookId), Stand>>>);

#[derive(Debug, Clone, Copy)]
enum Stand {
    Working,
    /// Its breaker is open: nothing is to be done before.
    Resting(Instant),
}

/// The right to work on one webhook; given back when it is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Turn {
    all: AtWork,
    who: (TenantId, WebhookId),
    rest_until: Option<Instant>,
}

impl AtWork {
    /// Takes turns for as many of the webhooks that have work as there is room for: one from each
    /// tenant, then the next of each, and a different tenant first every time.
    pub(super) fn take(&self, due: &[(TenantId, WebhookId)], pass: usize) -> Vec<Turn> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, stand| match stand {
            Stand::Working => true,
            Stand::Resting(until) => *until > now,
        });
        let mut working: BTreeMap<TenantId, usize> = BTreeMap::new();
        for ((tenant, _), stand) in &*all {
            if matches!(stand, Stand::Working) {
                *working.entry(*tenant).or_default() += 1;
            }
        }
        let mut room = WEBHOOKS.saturating_sub(working.values().sum());
        let mut turns = Vec::new();
        for who in in_turn(due, pass) {
            let of_tenant = working.entry(who.0).or_default();
            if room == 0 {
                break;
            }
            if *of_tenant >= WEBHOOKS_PER_TENANT || all.contains_key(&who) {
                continue;
            }
            all.insert(who, Stand::Working);
            *of_tenant += 1;
            room -= 1;
            turns.push(Turn {
                all: self.clone(),
                who,
                rest_until: None,
            });
        }
        turns
    }
}

impl Turn {
    /// Whose turn it is.
    pub(super) const fn who(&self) -> (TenantId, WebhookId) {
        self.who
    }

    /// Ends the turn; the next one does not come before `until`.
    pub(super) fn rest(mut self, until: Instant) {
        self.rest_until = Some(until);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        match self.rest_until {
            Some(until) => all.insert(self.who, Stand::Resting(until)),
            None => all.remove(&self.who),
        };
    }
}

/// The webhooks in the order of their turns: round robin over the tenants, beginning elsewhere at
/// every pass. `due` is sorted.
fn in_turn(due: &[(TenantId, WebhookId)], pass: usize) -> Vec<(TenantId, WebhookId)> {
    let mut order = Vec::with_capacity(due.len());
    let tenants: Vec<&[(TenantId, WebhookId)]> = due.chunk_by(|a, b| a.0 == b.0).collect();
    let longest = tenants.iter().map(|of| of.len()).max().unwrap_or(0);
    for round in 0..longest {
        for number in 0..tenants.len() {
            let of = tenants[(number + pass) % tenants.len()];
            if round < of.len() {
                order.push(of[(round + pass) % of.len()]);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn due(counts: &[u128]) -> Vec<(TenantId, WebhookId)> {
        let tenants = (0..).zip(counts);
        let of = |(tenant, count): (u128, &u128)| {
            let id = move |number| WebhookId(Uuid::from_u128(tenant * 1_000 + number));
            (0..*count).map(move |number| (TenantId(Uuid::from_u128(tenant)), id(number)))
        };
        tenants.flat_map(of).collect()
    }

    fn tenants(turns: &[Turn]) -> Vec<u128> {
        let tenant = |turn: &Turn| turn.who().0.0.as_u128();
        turns.iter().map(tenant).collect()
    }

    #[test]
    fn tenants_take_turns_and_none_takes_all() {
        let work = AtWork::default();
        let turns = work.take(&due(&[100, 2, 1]), 0);
        assert_eq!(tenants(&turns), [0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
        let crowd = due(&[8; 20]);
        let more = work.take(&crowd, 1);
        assert_eq!(turns.len() + more.len(), WEBHOOKS);
        assert!(work.take(&crowd, 2).is_empty());
        drop((turns, more));
        assert_eq!(tenants(&work.take(&crowd, 1))[..3], [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_webhook_has_one_turn_at_a_time_and_rests_when_told() {
        let (work, due) = (AtWork::default(), due(&[1]));
        let turn = work.take(&due, 0).pop().unwrap();
        assert!(work.take(&due, 0).is_empty());
        turn.rest(Instant::now() + Duration::from_secs(30));
        assert!(work.take(&due, 0).is_empty());
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(work.take(&due, 0).len(), 1);
    }
}
