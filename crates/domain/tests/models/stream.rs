//! M4, events: writers commit out of order, a reader follows, what is old is trimmed, and the
//! database may be restored under the reader.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::stream::{Cursor, Epoch, Expired, Place, deliverable, resumable};
use stateright::{Model, Property};
use uuid::Uuid;

use crate::check::{breaks, holds};

const WRITERS: usize = 3;
/// Transactions in all.
const TRANSACTIONS: u64 = 4;
/// Facts handed out at once.
const PAGE: usize = 2;

/// Which rule is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// As the service does it.
    Service,
    /// Whatever is committed is handed out: `id > last`.
    NoHorizon,
    /// Nobody asks whether something after the cursor was trimmed.
    SilentTrim,
}

struct Stream(Variant);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    next_txid: u64,
    /// The open transaction of each writer.
    open: [Option<u64>; WRITERS],
    /// Every fact that was ever committed in this history.
    committed: BTreeSet<Place>,
    trimmed_to: Option<Place>,
    epoch: Epoch,
    restored: bool,
    reader: Reader,
    saved: Option<Reader>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reader {
    epoch: Epoch,
    at: Place,
    /// Where it began to read, for the first time or after it was told of a hole.
    since: Place,
    delivered: Vec<Place>,
    told: Option<Told>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    Trimmed,
    OtherHistory,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Begin(usize),
    Commit(usize),
    Abort(usize),
    Read,
    /// The reader keeps its cursor with what it made of the facts.
    Save,
    /// The reader is cut off, and comes back with the cursor it kept.
    Resume,
    Trim,
    Restore,
}

impl State {
    /// The oldest transaction that is still open.
    fn horizon(&self) -> u64 {
        let open = self.open.iter().flatten().min();
        open.copied().unwrap_or(self.next_txid)
    }

    fn stored(&self) -> impl Iterator<Item = Place> {
        let above = |place: &Place| self.trimmed_to.is_none_or(|trimmed| *place > trimmed);
        self.committed.iter().copied().filter(above)
    }
}

impl Stream {
    fn read(&self, state: &mut State) {
        let reader = &state.reader;
        let cursor = Cursor {
            epoch: reader.epoch,
            place: reader.at,
        };
        let told = match resumable(&cursor, state.trimmed_to, state.epoch) {
            Ok(()) => None,
            Err(Expired::Trimmed) if self.0 == Variant::SilentTrim => None,
            Err(Expired::Trimmed) => Some((Told::Trimmed, state.trimmed_to)),
            Err(Expired::OtherHistory) => Some((Told::OtherHistory, state.trimmed_to)),
        };
        if let Some((told, from)) = told {
            let start = from.unwrap_or(Place::start());
            state.reader = Reader {
                epoch: state.epoch,
                at: start,
                since: start,
                delivered: Vec::new(),
                told: Some(told),
            };
            return;
        }
        let horizon = state.horizon();
        let page: Vec<Place> = state
            .stored()
            .filter(|place| *place > state.reader.at)
            .filter(|place| self.0 == Variant::NoHorizon || deliverable(horizon, *place))
            .take(PAGE)
            .collect();
        state.reader.at = page.last().copied().unwrap_or(state.reader.at);
        state.reader.delivered.extend(page);
    }
}

impl Model for Stream {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            next_txid: 1,
            open: [None; WRITERS],
            committed: BTreeSet::new(),
            trimmed_to: None,
            epoch: Epoch(1),
            restored: false,
            reader: Reader {
                epoch: Epoch(1),
                at: Place::start(),
                since: Place::start(),
                delivered: Vec::new(),
                told: None,
            },
            saved: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (writer, open) in state.open.iter().enumerate() {
            match open {
                Some(_) => actions.extend([Action::Commit(writer), Action::Abort(writer)]),
                None if state.next_txid <= TRANSACTIONS => actions.push(Action::Begin(writer)),
                None => {}
            }
        }
        actions.extend([Action::Read, Action::Save, Action::Resume, Action::Trim]);
        if !state.restored && state.open == [None; WRITERS] {
            actions.push(Action::Restore);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Begin(writer) => {
                state.open[writer] = Some(state.next_txid);
                state.next_txid += 1;
            }
            Action::Commit(writer) => {
                let txid = state.open[writer].take()?;
                // The first transaction writes two facts, the others one.
                let rows = if txid == 1 { 1..=2 } else { 1..=1 };
                state.committed.extend(rows.map(|row| Place {
                    txid,
                    row: Uuid::from_u128(row),
                }));
            }
            Action::Abort(writer) => state.open[writer] = None,
            Action::Read => self.read(&mut state),
            Action::Save => state.saved = Some(state.reader.clone()),
            Action::Resume => state.reader = state.saved.clone()?,
            // Retention takes whole what is old, below the horizon only.
            Action::Trim => {
                let horizon = state.horizon();
                let oldest = state.stored().next()?;
                state.trimmed_to = Some(oldest).filter(|place| deliverable(horizon, *place));
                state.trimmed_to?;
            }
            // To before everything: numbers of transactions are given out a second time.
            Action::Restore => {
                state = State {
                    epoch: Epoch(state.epoch.0 + 1),
                    restored: true,
                    reader: state.reader,
                    saved: state.saved,
                    ..self.init_states().remove(0)
                };
            }
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(WHOLE, |_, state: &State| {
                let reader = &state.reader;
                // Of another history it reads on only after it was told.
                if reader.epoch != state.epoch {
                    return true;
                }
                let passed = state.committed.range(..=reader.at);
                let expected: Vec<Place> = passed
                    .filter(|place| **place > reader.since)
                    .copied()
                    .collect();
                reader.delivered == expected
            }),
            Property::always("a reader of a lost history is told", |_, state: &State| {
                let told = state.reader.told == Some(Told::OtherHistory);
                state.reader.epoch == Epoch(1) || told || state.reader.told == Some(Told::Trimmed)
            }),
            Property::sometimes("a reader waits for the horizon", |_, state: &State| {
                let horizon = state.horizon();
                let mut ahead = state.stored().filter(|place| *place > state.reader.at);
                ahead.any(|place| !deliverable(horizon, place))
            }),
            Property::sometimes("a late commit is handed out", |_, state: &State| {
                let transactions: BTreeMap<u64, ()> = state
                    .reader
                    .delivered
                    .iter()
                    .map(|place| (place.txid, ()))
                    .collect();
                transactions.len() >= 3
            }),
            Property::sometimes("a reader is told of a hole", |_, state: &State| {
                state.reader.told == Some(Told::Trimmed)
            }),
        ]
    }
}

const WHOLE: &str = "what was handed out is what was committed, once and in order";

#[test]
fn a_reader_misses_nothing_and_sees_nothing_twice() {
    holds(Stream(Variant::Service));
}

#[test]
fn twin_that_reads_whatever_is_committed_fails() {
    breaks(Stream(Variant::NoHorizon), WHOLE);
}

#[test]
fn twin_that_trims_without_a_word_fails() {
    breaks(Stream(Variant::SilentTrim), WHOLE);
}
