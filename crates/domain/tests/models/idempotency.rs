//! M3, idempotency: clients repeat requests under one key while servers crash and answers get lost.

use std::collections::BTreeMap;

use jobengine_domain::digest::Digest;
use jobengine_domain::idempotency::{Decision, Remembered, WINDOW_MS, decide};
use jobengine_domain::time::Timestamp;
use stateright::{Model, Property};

use crate::check::{breaks, holds};

/// Half windows the clock runs through.
const TICKS: u8 = 2;
/// How often each client sends its request.
const TRIES: [u8; REQUESTS.len()] = [2, 2, 1, 1];

/// What each client sends, all under the same key: tenant and body. Two twins, another body, another
/// tenant.
const REQUESTS: [Request; 4] = [
    Request { tenant: 0, body: 1 },
    Request { tenant: 0, body: 1 },
    Request { tenant: 0, body: 2 },
    Request { tenant: 1, body: 1 },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Request {
    tenant: u8,
    body: u8,
}

/// Which rule is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// As the service does it.
    Service,
    /// The record is written after the effect was committed.
    RecordApart,
    /// The record stands under the key alone.
    KeyWithoutTenant,
}

struct Idempotency(Variant);

/// Something that was done for a request, and lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Effect {
    request: Request,
    at: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// In a transaction that holds the lock of the key's slot, since a moment.
    Open(Decision, u8),
    /// Its effect is committed and its record is not: only in a twin.
    Unrecorded {
        effect: u8,
    },
    /// Committed; the answer is on its way.
    Answering(Option<u8>),
    Answered(Option<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    phase: Phase,
    tries: u8,
    /// It was left without an answer although its effect was committed.
    bereft: bool,
    replayed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    records: BTreeMap<u8, (Remembered, u8)>,
    effects: Vec<Effect>,
    clients: [Client; REQUESTS.len()],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Tick,
    Begin(usize),
    Commit(usize),
    Record(usize),
    Crash(usize),
    Deliver(usize),
    Lose(usize),
}

fn moment(tick: u8) -> Timestamp {
    Timestamp::from_micros(0).plus_ms(u64::from(tick) * (WINDOW_MS / 2))
}

fn digest(request: Request) -> Digest {
    Digest::from_bytes([request.body; 32])
}

impl Idempotency {
    fn slot(&self, client: usize) -> u8 {
        match self.0 {
            Variant::Service | Variant::RecordApart => REQUESTS[client].tenant,
            Variant::KeyWithoutTenant => 0,
        }
    }

    fn locked(&self, state: &State, slot: u8) -> bool {
        let mut clients = state.clients.iter().enumerate();
        clients.any(|(client, it)| matches!(it.phase, Phase::Open(..)) && self.slot(client) == slot)
    }

    fn commit(&self, state: &mut State, client: usize, decision: Decision, at: u8) {
        let slot = self.slot(client);
        let request = REQUESTS[client];
        state.clients[client].phase = match decision {
            Decision::Mismatch => Phase::Answering(None),
            Decision::Replay => {
                state.clients[client].replayed = true;
                Phase::Answering(state.records.get(&slot).map(|(_, effect)| *effect))
            }
            Decision::Proceed | Decision::Expired => {
                let effect =
                    u8::try_from(state.effects.len()).expect("few requests have few effects");
                state.effects.push(Effect { request, at });
                if self.0 == Variant::RecordApart {
                    Phase::Unrecorded { effect }
                } else {
                    let record = Remembered::new(digest(request), moment(at));
                    state.records.insert(slot, (record, effect));
                    Phase::Answering(Some(effect))
                }
            }
        };
    }
}

impl Model for Idempotency {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: 0,
            records: BTreeMap::new(),
            effects: Vec::new(),
            clients: TRIES.map(|tries| Client {
                phase: Phase::Idle,
                tries,
                bereft: false,
                replayed: false,
            }),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < TICKS {
            actions.push(Action::Tick);
        }
        for (client, it) in state.clients.iter().enumerate() {
            match it.phase {
                // A twin under way is waited for: the slot is locked from the look to the commit.
                Phase::Idle if it.tries > 0 && !self.locked(state, self.slot(client)) => {
                    actions.push(Action::Begin(client));
                }
                Phase::Open(..) => actions.extend([Action::Commit(client), Action::Crash(client)]),
                Phase::Unrecorded { .. } => {
                    actions.extend([Action::Record(client), Action::Crash(client)]);
                }
                Phase::Answering(_) => {
                    actions.extend([Action::Deliver(client), Action::Lose(client)]);
                }
                Phase::Idle | Phase::Answered(_) => {}
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Begin(client) => {
                let record = state.records.get(&self.slot(client));
                let decision = decide(
                    record.map(|(record, _)| record),
                    &digest(REQUESTS[client]),
                    moment(state.now),
                );
                state.clients[client].tries -= 1;
                state.clients[client].phase = Phase::Open(decision, state.now);
            }
            Action::Commit(client) => {
                let Phase::Open(decision, at) = state.clients[client].phase else {
                    return None;
                };
                self.commit(&mut state, client, decision, at);
            }
            Action::Record(client) => {
                let Phase::Unrecorded { effect } = state.clients[client].phase else {
                    return None;
                };
                let at = moment(state.effects[usize::from(effect)].at);
                let record = Remembered::new(digest(REQUESTS[client]), at);
                state.records.insert(self.slot(client), (record, effect));
                state.clients[client].phase = Phase::Answering(Some(effect));
            }
            Action::Crash(client) => {
                let lasting = matches!(state.clients[client].phase, Phase::Unrecorded { .. });
                state.clients[client].bereft |= lasting;
                state.clients[client].phase = Phase::Idle;
            }
            Action::Deliver(client) => {
                let Phase::Answering(answer) = state.clients[client].phase else {
                    return None;
                };
                state.clients[client].phase = Phase::Answered(answer);
            }
            // The server crashed after the commit, or the answer got lost: the client cannot tell.
            Action::Lose(client) => {
                state.clients[client].bereft |=
                    matches!(state.clients[client].phase, Phase::Answering(Some(_)));
                state.clients[client].phase = Phase::Idle;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_EFFECT, |_, state: &State| {
                let effects = state.effects.iter().enumerate();
                effects.clone().all(|(index, one)| {
                    state.effects[index + 1..].iter().all(|other| {
                        one.request.tenant != other.request.tenant
                            || moment(other.at).ms_since(moment(one.at)) >= WINDOW_MS
                    })
                })
            }),
            Property::always(OWN_ANSWER, |_, state: &State| {
                let mut answers = state.clients.iter().zip(REQUESTS);
                answers.all(|(client, request)| match client.phase {
                    Phase::Answered(Some(effect)) => {
                        state.effects[usize::from(effect)].request == request
                    }
                    Phase::Answered(None)
                    | Phase::Idle
                    | Phase::Open(..)
                    | Phase::Unrecorded { .. }
                    | Phase::Answering(_) => true,
                })
            }),
            Property::sometimes("a lost answer is replayed", |_, state: &State| {
                let mut clients = state.clients.iter();
                clients.any(|client| {
                    client.bereft
                        && client.replayed
                        && matches!(client.phase, Phase::Answered(Some(_)))
                })
            }),
            Property::sometimes("another body is refused", |_, state: &State| {
                state.clients[2].phase == Phase::Answered(None)
            }),
            Property::sometimes(
                "a key whose week is over takes effect again",
                |_, state: &State| {
                    let of_tenant = |effect: &&Effect| effect.request.tenant == 0;
                    state.effects.iter().filter(of_tenant).count() > 1
                },
            ),
        ]
    }
}

const ONE_EFFECT: &str = "one effect a key and window";
const OWN_ANSWER: &str = "an answer is about the request it answers";

#[test]
fn a_request_takes_effect_once_and_is_answered_the_same() {
    holds(Idempotency(Variant::Service));
}

#[test]
fn twin_with_the_record_in_another_transaction_fails() {
    breaks(Idempotency(Variant::RecordApart), ONE_EFFECT);
}

#[test]
fn twin_with_keys_without_tenant_fails() {
    breaks(Idempotency(Variant::KeyWithoutTenant), OWN_ANSWER);
}
