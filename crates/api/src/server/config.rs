//! What a server is told when it starts.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::defaults::{LEASE_MS, STREAM_HEARTBEAT_MS};
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::network::Network;
use jobengine_store::ImpactIndexes;
use jobengine_store::secret::InstallationSecret;
use jobengine_telemetry::Registry;
use jobengine_telemetry::log::LogControl;
use jobengine_telemetry::trace::Traces;

use crate::identity::PublicUrl;
use crate::signing::PublishedKey;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Time a worker has between heartbeats.
    pub lease: LeaseMs,
    /// How long it goes on answering when it is told to stop, while `/readyz` already says no.
    pub drain: Duration,
    /// Connections at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// The tenants' impact indexes: one set for a process, shared with its planner.
    pub indexes: Arc<ImpactIndexes>,
    /// What only this installation can make: the same for all its replicas.
    pub secret: InstallationSecret,
    /// Where webhooks may go.
    pub egress: EgressPolicy,
    /// The keys under which the installation signs, current and former ones.
    pub keys: Vec<PublishedKey>,
    /// What the process records; shared with its other roles.
    pub registry: Registry,
    /// Where spans go.
    pub traces: Traces,
    /// Changes what the process logs.
    pub log: LogControl,
    /// The service's own address, as clients write it. Without it no proofs of possession are taken,
    /// and tokens bound to a key are refused: a `Host` header is the client's word.
    pub public_url: Option<PublicUrl>,
    /// Proxies of ours: what they say of a client's address is believed.
    pub proxies: Vec<Network>,
    /// A reader of a stream whose connection takes nothing for so long is cut off with its cursor.
    pub stream_stall: Duration,
    /// A stream without events says so often that it is alive, and over a WebSocket asks whether the client is.
    pub stream_heartbeat: Duration,
    /// So often is looked whether the credential of a stream's reader still holds.
    pub stream_recheck: Duration,
    /// A connection without a request for so long is closed. Longer than the usual interval of heartbeats, so that
    /// they find their connection open.
    pub connection_rest: Duration,
    /// Longest time a connection outlives a peer from which nothing arrives any more, not even the system's own
    /// acknowledgements: its machine or the network to it is down.
    pub peer_silence: Duration,
    /// A WebSocket's client that says nothing for so long, not even a pong, is gone.
    pub socket_silence: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            lease: LeaseMs::new(LEASE_MS).expect("the default lies within the bounds"),
            drain: Duration::ZERO,
            connections_max: 4_096,
            indexes: Arc::default(),
            secret: InstallationSecret::draw(),
            egress: EgressPolicy::default(),
            keys: Vec::new(),
            registry: Registry::new(),
            traces: Traces::default(),
            log: LogControl::detached(),
            public_url: None,
            proxies: Vec::new(),
            stream_stall: Duration::from_secs(10),
            stream_heartbeat: Duration::from_millis(STREAM_HEARTBEAT_MS),
            stream_recheck: Duration::from_secs(30),
            connection_rest: Duration::from_mins(1),
            peer_silence: Duration::from_secs(30),
            socket_silence: Duration::from_secs(30),
        }
    }
}
