//! M7, sealing: replicas take over from each other, one of them asleep; the database is restored.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::audit::chain;
use jobengine_domain::audit::seal::{Head, admit};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::TenantId;
use jobengine_domain::leader::{Bid, LEADER_MS, Leader, bid};
use jobengine_domain::time::Timestamp;
use stateright::{Model, Property};
use uuid::Uuid;

use crate::check::{breaks, holds};

const SEALERS: usize = 2;
/// Rows that are ever written.
const ROWS: u8 = 2;
/// Half lives of a leader that the clock runs through.
const TICKS: u8 = 3;
const TENANT: TenantId = TenantId(Uuid::nil());

/// Which rule is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// As the service does it.
    Service,
    /// The write does not ask who leads.
    NoEpoch,
    /// A take-over counts the epoch on from the row alone, which a restore sets back.
    EpochFromRow,
}

struct Sealing(Variant);

/// What the database holds, and what a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Database {
    rows: Vec<u8>,
    /// The epoch each sealed row was sealed under, with the chain's hash at it.
    sealed: Vec<(u64, Digest)>,
    head: Head,
    leader: Option<Leader>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Sealer {
    Idle,
    Leads {
        epoch: u64,
    },
    /// It has read the chain's end and the rows after it, and signed.
    Prepared {
        epoch: u64,
        expected: Head,
        rows: Vec<u8>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    database: Database,
    backup: Option<Database>,
    restored: bool,
    written: u8,
    sealers: [Sealer; SEALERS],
    /// What ever left: which row was signed under an epoch and a number.
    signed: BTreeMap<(u64, usize), u8>,
    /// Whether another row was signed under the same epoch and number.
    contradicted: bool,
    /// Checkpoints held outside: the size, and the chain's hash there.
    held: BTreeSet<(usize, Digest)>,
    refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Tick,
    Append,
    Bid(usize),
    Prepare(usize),
    Write(usize),
    Crash(usize),
    Hold,
    Backup,
    Restore,
}

/// Half of a leader's time.
fn moment(tick: u8) -> Timestamp {
    Timestamp::from_micros(0).plus_ms(1_000 + u64::from(tick) * LEADER_MS / 2)
}

fn replica(sealer: usize) -> Uuid {
    Uuid::from_u128(sealer as u128 + 1)
}

impl Sealing {
    fn bid(&self, state: &mut State, sealer: usize) -> Option<()> {
        let row = state.database.leader;
        let leader = match bid(row.as_ref(), replica(sealer), moment(state.now)) {
            Bid::Take(leader) if self.0 == Variant::EpochFromRow => Leader {
                epoch: row.map_or(0, |row| row.epoch) + 1,
                ..leader
            },
            Bid::Keep(leader) | Bid::Take(leader) => leader,
            Bid::Wait(_) => return None,
        };
        state.database.leader = Some(leader);
        state.sealers[sealer] = Sealer::Leads {
            epoch: leader.epoch,
        };
        Some(())
    }

    fn write(&self, state: &mut State, sealer: usize) -> Option<()> {
        let before = std::mem::replace(&mut state.sealers[sealer], Sealer::Idle);
        let Sealer::Prepared {
            epoch,
            mut expected,
            rows,
        } = before
        else {
            return None;
        };
        let now = moment(state.now);
        let (mut stored, mut leader) = (state.database.head.clone(), state.database.leader);
        if self.0 == Variant::NoEpoch {
            (stored.epoch, expected.epoch) = (0, 0);
            leader = Some(Leader {
                epoch,
                holder: replica(sealer),
                until: now.plus_ms(1),
            });
        }
        if admit(&stored, &expected, epoch, leader.as_ref(), now).is_err() {
            state.refused = true;
            return Some(());
        }
        let database = &mut state.database;
        for row in rows {
            let hash = chain::link(&database.head.hash, &chain::leaf(&[row]));
            database.sealed.push((epoch, hash));
            let sequence = database.sealed.len();
            let signed = state.signed.insert((epoch, sequence), row);
            state.contradicted |= signed.is_some_and(|signed| signed != row);
            database.head = Head {
                size: sequence as u64,
                hash,
                checkpoint: Some(hash),
                epoch,
            };
        }
        Some(())
    }
}

impl Model for Sealing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: 0,
            database: Database {
                rows: Vec::new(),
                sealed: Vec::new(),
                head: Head::genesis(TENANT),
                leader: None,
            },
            backup: None,
            restored: false,
            written: 0,
            sealers: [Sealer::Idle, Sealer::Idle],
            signed: BTreeMap::new(),
            contradicted: false,
            held: BTreeSet::new(),
            refused: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < TICKS {
            actions.push(Action::Tick);
        }
        if state.written < ROWS {
            actions.push(Action::Append);
        }
        for (index, sealer) in state.sealers.iter().enumerate() {
            match sealer {
                Sealer::Idle => actions.push(Action::Bid(index)),
                Sealer::Leads { .. } => {
                    actions.extend([Action::Bid(index), Action::Crash(index)]);
                    if state.database.rows.len() > state.database.sealed.len() {
                        actions.push(Action::Prepare(index));
                    }
                }
                Sealer::Prepared { .. } => {
                    actions.extend([Action::Write(index), Action::Crash(index)]);
                }
            }
        }
        if state.held.is_empty() {
            actions.push(Action::Hold);
        }
        if state.backup.is_none() {
            actions.push(Action::Backup);
        } else if !state.restored {
            actions.push(Action::Restore);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Append => {
                state.written += 1;
                state.database.rows.push(state.written);
            }
            Action::Bid(sealer) => self.bid(&mut state, sealer)?,
            Action::Prepare(sealer) => {
                let Sealer::Leads { epoch } = state.sealers[sealer] else {
                    return None;
                };
                let database = &state.database;
                state.sealers[sealer] = Sealer::Prepared {
                    epoch,
                    expected: database.head.clone(),
                    rows: database.rows[database.sealed.len()..].to_vec(),
                };
            }
            Action::Write(sealer) => self.write(&mut state, sealer)?,
            Action::Crash(sealer) => state.sealers[sealer] = Sealer::Idle,
            Action::Hold => {
                let (_, hash) = *state.database.sealed.last()?;
                state.held.insert((state.database.sealed.len(), hash));
            }
            Action::Backup => state.backup = Some(state.database.clone()),
            // It takes longer than a leader leads without saying so; sealers sleep through it.
            Action::Restore => {
                state.database = state.backup.clone()?;
                state.now += 3;
                state.restored = true;
            }
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_ROW, |_, state: &State| !state.contradicted),
            Property::always(RISING, |_, state: &State| {
                state.database.sealed.is_sorted_by_key(|(epoch, _)| *epoch)
            }),
            Property::always("a sealed prefix never changes", |_, state: &State| {
                let mut held = state.held.iter();
                state.restored
                    || held.all(|(size, hash)| {
                        let at = state.database.sealed.get(size - 1);
                        at.is_some_and(|(_, sealed)| sealed == hash)
                    })
            }),
            Property::always("what is sealed is what was written", |_, state: &State| {
                let database = &state.database;
                let mut hash = chain::genesis(TENANT);
                database.sealed.len() <= database.rows.len()
                    && database
                        .rows
                        .iter()
                        .zip(&database.sealed)
                        .all(|(row, (_, sealed))| {
                            hash = chain::link(&hash, &chain::leaf(&[*row]));
                            hash == *sealed
                        })
            }),
            Property::always(
                "a row waits only for who leads",
                |model: &Self, state: &State| {
                    let waiting = state.database.rows.len() > state.database.sealed.len();
                    let mut actions = Vec::new();
                    model.actions(state, &mut actions);
                    !waiting
                        || actions.into_iter().any(|action| {
                            matches!(
                                action,
                                Action::Bid(_) | Action::Prepare(_) | Action::Write(_)
                            )
                        })
                },
            ),
            Property::sometimes("one of two sealers is refused", |_, state: &State| {
                state.refused && !state.restored && state.database.sealed.len() == usize::from(ROWS)
            }),
            Property::sometimes("the chain goes on after a restore", |_, state: &State| {
                let lost = state.held.iter().any(|(size, hash)| {
                    let at = state.database.sealed.get(size - 1);
                    at.is_some_and(|(_, sealed)| sealed != hash)
                });
                state.restored && lost
            }),
            Property::sometimes("two epochs stand in one chain", |_, state: &State| {
                let epochs: BTreeSet<u64> = state
                    .database
                    .sealed
                    .iter()
                    .map(|(epoch, _)| *epoch)
                    .collect();
                epochs.len() > 1
            }),
        ]
    }
}

const ONE_ROW: &str = "an epoch and a number name one row for ever";
const RISING: &str = "epochs never fall along the chain";

#[test]
fn sealed_history_is_written_once() {
    holds(Sealing(Variant::Service));
}

#[test]
fn twin_without_epoch_fails() {
    breaks(Sealing(Variant::NoEpoch), RISING);
}

#[test]
fn twin_that_gives_an_epoch_twice_after_a_restore_fails() {
    breaks(Sealing(Variant::EpochFromRow), ONE_ROW);
}
