//! A connection that the server ends is listened to until its client has ended it too.
//!
//! Closed at once, the system would answer whatever the client has just sent by breaking the connection off, and
//! with it the answer that the client has not read yet. So the server says that it is done and goes on reading for a
//! while, and keeps nothing of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The client has so long to end its side.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// More is not read meanwhile, in bytes.
const LINGER_MAX_BYTES: usize = 1024 * 1024;
/// Read at once, in bytes.
const CHUNK_BYTES: usize = 4 * 1024;

/// A stream that lingers when it is shut down.
#[derive(Debug)]
pub(crate) struct Lingering<S> {
    stream: S,
    farewell: Option<Farewell>,
}

/// We have said that we are done.
#[derive(Debug)]
struct Farewell {
    due: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S> Lingering<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            farewell: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
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

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, farewell } = self.get_mut();
        if farewell.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let farewell = farewell.get_or_insert_with(|| Farewell {
            due: Box::pin(sleep(LINGER_MAX)),
            bytes: 0,
        });
        let mut chunk = [0; CHUNK_BYTES];
        while farewell.bytes < LINGER_MAX_BYTES && farewell.due.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut chunk);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            farewell.bytes += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn the_client_s_end_is_awaited_within_bounds() {
        let began = Instant::now();
        // One that ends its side after a word.
        let (mut client, server) = duplex(1024);
        let server = tokio::spawn(async move { Lingering::new(server).shutdown().await });
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        client.write_all(b"too late").await.unwrap();
        drop(client);
        server.await.unwrap().unwrap();
        assert_eq!(began.elapsed().as_secs(), 0);
        // One that says nothing.
        let (_client, server) = duplex(1024);
        Lingering::new(server).shutdown().await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 2);
        // One that goes on and on.
        let (mut client, server) = duplex(1024);
        let server = tokio::spawn(async move { Lingering::new(server).shutdown().await });
        let mut sent = 0;
        while client.write_all(&[0; 1024]).await.is_ok() {
            sent += 1024;
        }
        server.await.unwrap().unwrap();
        assert!(sent <= LINGER_MAX_BYTES + 8 * 1024, "{sent}");
    }
}
