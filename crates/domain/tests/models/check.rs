//! Exploring a model, and what is asked of the result.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker as _, HasDiscoveries, Model};

/// Fewest states a model must have: a smaller one has left something out.
const STATES_MIN: usize = 100_000;

/// Explores every state: no property may be violated, and what should happen sometimes must.
pub(crate) fn holds<M>(model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Hash + Send + Sync + Clone + PartialEq,
    M::Action: Debug + Send + Sync + Clone + PartialEq,
{
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
    assert!(
        checker.unique_state_count() >= STATES_MIN,
        "{} states",
        checker.unique_state_count()
    );
}

/// Explores a twin until it breaks a rule: this one, or one that is broken with it.
pub(crate) fn breaks<M>(model: M, rule: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Hash + Send + Sync + Clone + PartialEq,
    M::Action: Debug + Send + Sync + Clone + PartialEq,
{
    let found = HasDiscoveries::AllOf([rule].into());
    let checker = model
        .checker()
        .threads(2)
        .finish_when(found)
        .spawn_bfs()
        .join();
    let path = checker.discovery(rule);
    let path = path.unwrap_or_else(|| panic!("the twin did not break `{rule}`"));
    println!("`{rule}` broken by {:?}", path.into_actions());
}
