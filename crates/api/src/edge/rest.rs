//! A connection at rest: how long it may, and how it ends.
//!
//! It ends as if the client had ended it, so that the server sees it off in its usual way: all that was received is
//! answered first, and what is on its way meets an open ear (`linger.rs`). A request whose first byte was read is
//! never broken off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::turn::Turn;

/// When the server stops, connections that have not brought a request yet may bring their first one in this time.
const FIRST_MAX: Duration = Duration::from_secs(1);

/// A stream that ends when nothing has come for too long, or when nothing is to come any more.
#[derive(Debug)]
pub(crate) struct Resting<S> {
    stream: S,
    turn: Turn,
    most: Duration,
    /// The turn in which bytes came last.
    begun: Option<u64>,
    rest: Option<Rest>,
}

/// A rest that has begun.
#[derive(Debug)]
struct Rest {
    turn: u64,
    due: Pin<Box<Sleep>>,
    stopping: bool,
}

impl<S> Resting<S> {
    /// One that may rest for `most` between requests.
    pub(crate) const fn new(stream: S, turn: Turn, most: Duration) -> Self {
        Self {
            stream,
            turn,
            most,
            begun: None,
            rest: None,
        }
    }

    /// Whether the connection has rested long enough.
    fn is_over(&mut self, turn: u64, cx: &mut Context<'_>) -> bool {
        let rest = self.rest.get_or_insert_with(|| Rest {
            turn,
            due: Box::pin(sleep(self.most)),
            stopping: false,
        });
        if rest.turn != turn {
            rest.turn = turn;
            rest.due.as_mut().reset(Instant::now() + self.most);
        }
        if self.turn.is_stopping() && turn > 0 {
            return true;
        }
        if self.turn.is_stopping() && !rest.stopping {
            rest.stopping = true;
            rest.due.as_mut().reset(Instant::now() + FIRST_MAX);
        }
        rest.due.as_mut().poll(cx).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Resting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let turn = self.turn.now();
        if buffer.filled().len() > before {
            self.begun = Some(turn);
            return polled;
        }
        let begun = self.begun == Some(turn);
        if polled.is_ready() || begun || !self.turn.is_at_rest() || !self.is_over(turn, cx) {
            return polled;
        }
        // No bytes: the end of what comes.
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Resting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    fn resting() -> (DuplexStream, Resting<DuplexStream>, Turn) {
        let (client, server) = duplex(64);
        let turn = Turn::default();
        let server = Resting::new(server, turn.clone(), Duration::from_mins(1));
        (client, server, turn)
    }

    /// How many seconds later nothing more comes.
    async fn end(server: &mut Resting<DuplexStream>) -> u64 {
        let began = Instant::now();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_at_rest_ends_after_a_minute() {
        let (mut client, mut server, turn) = resting();
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
        let answering = turn.begin();
        // However long the answer takes.
        let reading = tokio::time::timeout(Duration::from_hours(1), server.read_u8());
        assert!(reading.await.is_err());
        drop(answering);
        assert_eq!(end(&mut server).await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_received_before_the_end_is_read() {
        let (mut client, mut server, turn) = resting();
        drop(turn.begin());
        client.write_all(b"xy").await.unwrap();
        turn.stop();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        assert_eq!(server.read_u8().await.unwrap(), b'y');
        // A head that has begun is awaited; it is bounded elsewhere.
        let reading = tokio::time::timeout(Duration::from_hours(1), server.read_u8());
        assert!(reading.await.is_err());
        drop(turn.begin());
        assert_eq!(end(&mut server).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stops_takes_its_first_request() {
        let (_client, mut server, turn) = resting();
        turn.stop();
        assert_eq!(end(&mut server).await, 1);
        // And no second one.
        drop(turn.begin());
        assert_eq!(end(&mut server).await, 0);
        // One whose answer is still being read does not end before it is.
        let (_client, mut server, turn) = resting();
        drop(turn.begin());
        turn.block(true);
        turn.stop();
        let reading = tokio::time::timeout(Duration::from_secs(9), server.read_u8());
        assert!(reading.await.is_err());
        turn.block(false);
        assert_eq!(end(&mut server).await, 0);
    }
}
