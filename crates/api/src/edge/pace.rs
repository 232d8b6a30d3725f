//! A connection that does not wait for whoever is slow on purpose.
//!
//! A request's head is complete ten seconds after its first byte, and an answer is read at a kilobyte
//! a second, or the connection ends. How long it may rest between requests stands in `rest.rs`; a body's pace is
//! the business of whoever reads the body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::turn::Turn;

/// From the first byte of a head to its last.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// An answer that cannot be written is looked at so often.
const WRITE_WINDOW: Duration = Duration::from_secs(12);
/// And in that time the client must have read so much: a kilobyte a second.
const WRITE_LEAST_BYTES: usize = 12 * 1024;
/// So often in a row for a stream, which cuts a slow reader off itself and says where it may resume: a frozen
/// reader ends within 24 s.
const STREAM_WINDOWS: u32 = 2;

/// A stream that ends with an error when the other side dawdles.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    turn: Turn,
    head: Option<Head>,
    stall: Option<Stall>,
}

/// A head that has begun to come.
#[derive(Debug)]
struct Head {
    turn: u64,
    due: Pin<Box<Sleep>>,
}

/// An answer that the other side does not take.
#[derive(Debug)]
struct Stall {
    due: Pin<Box<Sleep>>,
    bytes: usize,
    /// Windows in which too little was read, one after the other.
    windows: u32,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, turn: Turn) -> Self {
        Self {
            stream,
            turn,
            head: None,
            stall: None,
        }
    }

    /// Whether the head that is coming is overdue; `came` says whether bytes came just now.
    fn head_overdue(&mut self, came: bool, cx: &mut Context<'_>) -> bool {
        let turn = self.turn.now();
        if turn % 2 == 1 {
            self.head = None;
            return false;
        }
        // Of an earlier request: that one is answered.
        self.head = self.head.take().filter(|head| head.turn == turn);
        if self.head.is_none() && came {
            let due = Box::pin(sleep(HEAD_MAX));
            self.head = Some(Head { turn, due });
        }
        let due = |head: &mut Head| head.due.as_mut().poll(cx).is_ready();
        self.head.as_mut().is_some_and(due)
    }

    /// What a write came to: whether it may go on waiting.
    fn judge(
        &mut self,
        written: Poll<io::Result<usize>>,
        offered: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            match (&written, &mut self.stall) {
                (Ok(bytes), Some(stall)) if *bytes < offered => stall.bytes += bytes,
                _ => {
                    self.stall = None;
                    self.turn.block(false);
                }
            }
            return Poll::Ready(written);
        }
        self.turn.block(true);
        let windows = if self.turn.is_stream() {
            STREAM_WINDOWS
        } else {
            1
        };
        let stall = self.stall.get_or_insert_with(|| Stall {
            due: Box::pin(sleep(WRITE_WINDOW)),
            bytes: 0,
            windows: 0,
        });
        loop {
            ready!(stall.due.as_mut().poll(cx));
            let enough = stall.bytes >= WRITE_LEAST_BYTES;
            stall.windows = if enough { 0 } else { stall.windows + 1 };
            if stall.windows >= windows {
                return Poll::Ready(Err(late("the answer is not being read")));
            }
            stall.bytes = 0;
            stall.due.as_mut().reset(Instant::now() + WRITE_WINDOW);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let came = buffer.filled().len() > before;
        if self.head_overdue(came, cx) {
            return Poll::Ready(Err(late("the head of a request is not complete")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(written, bytes.len(), cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = parts.iter().map(|part| part.len()).sum();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(written, offered, cx)
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

fn late(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_head_has_ten_seconds_from_its_first_byte() {
        let (mut client, server) = duplex(64);
        let turn = Turn::default();
        let mut server = Paced::new(server, turn.clone());
        let mut byte = [0];
        // Rest before a request is not counted here.
        let resting = tokio::time::timeout(Duration::from_mins(1), server.read(&mut byte));
        assert!(resting.await.is_err());
        for _ in 0..4 {
            client.write_all(b"x").await.unwrap();
            assert_eq!(server.read(&mut byte).await.unwrap(), 1);
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        // The head is complete; its body may take its time.
        let answering = turn.begin();
        tokio::time::sleep(Duration::from_secs(30)).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut byte).await.unwrap(), 1);
        drop(answering);
        // The next head drips.
        let started = Instant::now();
        loop {
            client.write_all(b"x").await.unwrap();
            match server.read(&mut byte).await {
                Ok(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    break;
                }
            }
        }
        assert_eq!(started.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_nobody_reads_is_given_up() {
        let (mut client, server) = duplex(1024);
        let mut server = Paced::new(server, Turn::default());
        let reading = tokio::spawn(async move {
            // Two kilobytes a second for a minute is fast enough; then nothing.
            let mut some = [0; 2048];
            for _ in 0..60 {
                client.read_exact(&mut some).await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            client
        });
        let started = Instant::now();
        let error = server.write_all(&vec![0; 1024 * 1024]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((60..=90).contains(&started.elapsed().as_secs()));
        drop(reading);
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_reader_of_a_stream_ends_within_half_a_minute() {
        let (_client, server) = duplex(1024);
        let turn = Turn::default();
        let mut server = Paced::new(server, turn.clone());
        let _answering = turn.begin();
        turn.stream();
        let started = Instant::now();
        let error = server.write_all(&vec![0; 1024 * 1024]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 24);
    }
}
