//! How a connection learns that its peer is gone without a word.
//!
//! The system asks a quiet peer whether it is there (keep-alive probes), and waits for the acknowledgement of
//! what was sent. Either wait has an end, and one can follow the other: a heartbeat that is sent just before the
//! last probe gives up begins the second wait. Both together end within the limit.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How long a silent peer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerTimeout {
    /// A peer is asked when nothing has come for so long.
    idle: Duration,
    /// And again each time so much later.
    interval: Duration,
    /// What was sent is to be acknowledged in this time, and so are probes, and room to send more.
    unacknowledged: Duration,
}

impl PeerTimeout {
    /// A silent peer's connection ends within `limit`, of at least five seconds.
    pub(crate) fn within(limit: Duration) -> Self {
        // The system counts probes in whole seconds.
        let probe = Duration::from_secs((limit.as_secs() / 6).max(1));
        Self {
            idle: probe,
            interval: probe,
            unacknowledged: limit * 2 / 5,
        }
    }

    /// Watches over a connection.
    ///
    /// # Errors
    /// The system's, when the connection has ended already.
    pub(crate) fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        let socket = SockRef::from(stream);
        let probes = TcpKeepalive::new()
            .with_time(self.idle)
            .with_interval(self.interval)
            // Counts where there is no limit for acknowledgements.
            .with_retries(self.probes());
        socket.set_tcp_keepalive(&probes)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.unacknowledged))?;
        Ok(())
    }

    /// Probes without an answer before the peer is given up.
    fn probes(&self) -> u32 {
        let left = self.unacknowledged.saturating_sub(self.idle).as_millis();
        let probes = left.div_ceil(self.interval.as_millis());
        u32::try_from(probes).unwrap_or(u32::MAX).max(1)
    }

    /// The longest that a connection can outlive its peer, but for the time until the first repetition of what
    /// was sent.
    #[cfg(test)]
    fn longest(&self) -> Duration {
        self.idle + self.interval * self.probes() + self.unacknowledged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_waits_together_end_within_the_limit() {
        for limit in [5, 6, 7, 11, 30, 60, 600] {
            let limit = Duration::from_secs(limit);
            let timeout = PeerTimeout::within(limit);
            let longest = timeout.longest();
            assert!(longest <= limit * 19 / 20, "{timeout:?}: {longest:?}");
        }
    }

    #[test]
    fn a_silent_peer_ends_within_thirty_seconds() {
        let limit = crate::ServerConfig::default().peer_silence;
        let timeout = PeerTimeout::within(limit);
        assert_eq!(limit, Duration::from_secs(30));
        assert_eq!(timeout.longest(), Duration::from_secs(27));
        assert_eq!(timeout.unacknowledged, Duration::from_secs(12));
        let asked = [timeout.idle, timeout.interval];
        assert_eq!(asked, [Duration::from_secs(5); 2]);
    }

    #[tokio::test]
    async fn a_connection_is_watched_over() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let stream = stream.unwrap();
        PeerTimeout::within(Duration::from_secs(30))
            .apply(&stream)
            .unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(5));
        #[cfg(target_os = "linux")]
        assert_eq!(
            socket.tcp_user_timeout().unwrap(),
            Some(Duration::from_secs(12))
        );
    }
}
