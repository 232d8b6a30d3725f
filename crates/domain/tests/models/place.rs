//! M4, places: writers that began in one order write about one thing in another, and a reader is told of it in the
//! order in which it happened.

use std::collections::BTreeSet;

use jobengine_domain::stream::{Place, deliverable, place_of};
use stateright::{Model, Property};
use uuid::Uuid;

use crate::check::{breaks, holds};

const WRITERS: usize = 3;
/// Transactions in all.
const TRANSACTIONS: u64 = 7;
/// Facts handed out at once.
const PAGE: usize = 2;

/// Which rule is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// As the service does it.
    Service,
    /// A fact is placed by the number of its own transaction alone.
    OwnNumber,
    /// A fact is placed by the newest transaction that has ended, also below its writer's own number.
    NewestEnded,
    /// Ids do not rise along the life of the thing: of one place, a later fact may have the lower id.
    FallingIds,
}

struct Places(Variant);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    next_txid: u64,
    /// The newest transaction that has ended.
    ended: u64,
    /// The open transaction of each writer, and what it has written about the thing. Whoever wrote holds it locked; the
    /// next one sees what was written.
    open: [Option<(u64, Option<Place>)>; WRITERS],
    /// The facts about the thing, in the order in which they happened.
    life: Vec<Place>,
    at: Place,
    told: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Begin(usize),
    Write(usize),
    Commit(usize),
    Abort(usize),
    Read,
}

impl Places {
    fn place(&self, state: &State, own: u64) -> Place {
        let txid = match self.0 {
            Variant::Service | Variant::FallingIds => place_of(own, state.ended),
            Variant::OwnNumber => own,
            Variant::NewestEnded => state.ended,
        };
        let happened = state.life.len() as u128;
        let id = match self.0 {
            Variant::FallingIds => u128::from(TRANSACTIONS) + 1 - happened,
            Variant::Service | Variant::OwnNumber | Variant::NewestEnded => 1 + happened,
        };
        Place {
            txid,
            row: Uuid::from_u128(id),
        }
    }
}

impl Model for Places {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            next_txid: 1,
            ended: 0,
            open: [None; WRITERS],
            life: Vec::new(),
            at: Place::start(),
            told: Vec::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let locked = state
            .open
            .iter()
            .flatten()
            .any(|(_, wrote)| wrote.is_some());
        for (writer, open) in state.open.iter().enumerate() {
            match open {
                Some((_, wrote)) => {
                    actions.extend([Action::Commit(writer), Action::Abort(writer)]);
                    if wrote.is_none() && !locked {
                        actions.push(Action::Write(writer));
                    }
                }
                None if state.next_txid <= TRANSACTIONS => actions.push(Action::Begin(writer)),
                None => {}
            }
        }
        actions.push(Action::Read);
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Begin(writer) => {
                state.open[writer] = Some((state.next_txid, None));
                state.next_txid += 1;
            }
            Action::Write(writer) => {
                let (own, _) = state.open[writer]?;
                state.open[writer] = Some((own, Some(self.place(before, own))));
            }
            Action::Commit(writer) => {
                let (own, wrote) = state.open[writer].take()?;
                state.ended = state.ended.max(own);
                state.life.extend(wrote);
            }
            Action::Abort(writer) => {
                let (own, _) = state.open[writer].take()?;
                state.ended = state.ended.max(own);
            }
            Action::Read => {
                let open = state.open.iter().flatten().map(|(own, _)| *own).min();
                let horizon = open.unwrap_or(state.next_txid);
                let stored: BTreeSet<Place> = state.life.iter().copied().collect();
                let page = stored.range(state.at..).filter(|place| **place > state.at);
                let page: Vec<Place> = page
                    .take_while(|place| deliverable(horizon, **place))
                    .take(PAGE)
                    .copied()
                    .collect();
                // With nothing more to read it stands right before the horizon, as the service's reader does.
                state.at = match page.last() {
                    Some(last) if page.len() == PAGE => *last,
                    _ => Place::end_below(horizon).max(state.at),
                };
                state.told.extend(page);
            }
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(AS_IT_HAPPENED, |_, state: &State| {
                state.life.starts_with(&state.told)
            }),
            Property::sometimes(
                "a fact is placed after its writer's number",
                |_, state: &State| {
                    let after = |(own, wrote): &(u64, Option<Place>)| {
                        wrote.is_some_and(|place| place.txid > *own)
                    };
                    state.open.iter().flatten().any(after)
                },
            ),
            Property::sometimes("two facts have one number", |_, state: &State| {
                state
                    .life
                    .windows(2)
                    .any(|pair| pair[0].txid == pair[1].txid)
            }),
            Property::sometimes("a life is told to its end", |_, state: &State| {
                state.told.len() >= 4
            }),
        ]
    }
}

const AS_IT_HAPPENED: &str =
    "what a reader is told is the beginning of what happened, in that order";

#[test]
fn a_life_is_told_as_it_happened() {
    holds(Places(Variant::Service));
}

#[test]
fn twin_that_places_by_the_writers_own_number_fails() {
    breaks(Places(Variant::OwnNumber), AS_IT_HAPPENED);
}

#[test]
fn twin_that_places_below_the_writers_own_number_fails() {
    breaks(Places(Variant::NewestEnded), AS_IT_HAPPENED);
}

#[test]
fn twin_whose_ids_fall_fails() {
    breaks(Places(Variant::FallingIds), AS_IT_HAPPENED);
}
