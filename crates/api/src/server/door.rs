//! The end of a listener.
//!
//! A listener that is closed breaks off every connection that it holds and nobody has accepted yet: its client
//! believes itself connected and may have sent a request. So the listener first takes no more of them, and those it
//! holds are accepted and served, before it is closed.

use tokio::net::TcpListener;

/// Lets nobody begin to connect any more. Those who have begun are connected, and are to be accepted. Where the
/// system offers no way, everything stays as it is.
pub(super) fn shut(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    if let Err(error) = linux::refuse_beginnings(listener) {
        tracing::debug!(%error, "the listener cannot be shut before it is closed");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    use socket2::{SockFilter, SockRef};
    use tokio::net::TcpListener;

    /// Where the flags stand in the header of a TCP segment (RFC 9293, section 3.1).
    const FLAGS: u32 = 13;
    /// Of the first segment of a connection.
    const SYN: u32 = 2;
    /// Instructions of the classic filter machine (linux/filter.h): load a byte, jump if a bit is set, return.
    const LOAD: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;

    /// Has the system drop first segments: their clients try again in a second, and are refused then.
    pub(super) fn refuse_beginnings(listener: &TcpListener) -> io::Result<()> {
        SockRef::from(listener).attach_filter(&[
            SockFilter::new(LOAD, 0, 0, FLAGS),
            SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
            SockFilter::new(RETURN, 0, 0, 0),
            SockFilter::new(RETURN, 0, 0, u32::MAX),
        ])
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    #[tokio::test]
    async fn who_stands_before_the_door_is_let_in_and_nobody_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut early = TcpStream::connect(address).await.unwrap();
        early.write_all(b"?").await.unwrap();
        shut(&listener);
        let mut late = tokio::spawn(TcpStream::connect(address));
        let waiting = timeout(Duration::from_millis(200), &mut late).await;
        assert!(waiting.is_err(), "neither connected nor refused");
        let (mut served, _) = listener.accept().await.unwrap();
        drop(listener);
        assert_eq!(served.read_u8().await.unwrap(), b'?');
        served.write_all(b"!").await.unwrap();
        assert_eq!(early.read_u8().await.unwrap(), b'!');
        let refused = late.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}
