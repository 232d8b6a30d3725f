//! Answers that come line by line, some of them refusals.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// What marks a refusal, within so many bytes of the line's begin.
const MARK: &[u8] = b"\"problem\":";
const HEAD: usize = 64;

/// Passes lines on, and counts the refusals among them.
pub(super) struct Lines<W> {
    to: W,
    head: Vec<u8>,
    refused: u64,
}

impl<W> Lines<W> {
    pub(super) const fn new(to: W) -> Self {
        Self {
            to,
            head: Vec::new(),
            refused: 0,
        }
    }

    /// How many lines were refused so far.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let is_refusal = self.head.windows(MARK.len()).any(|part| part == MARK);
                self.refused = self.refused.saturating_add(u64::from(is_refusal));
                self.head.clear();
            } else if self.head.len() < HEAD {
                self.head.push(*byte);
            }
        }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Lines<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.to).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.note(bytes.get(..*count).unwrap_or_default());
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn refusals_are_counted_wherever_a_line_is_cut() {
        let text = "{\"line\":1,\"jobId\":\"a\"}\n{\"line\":2,\"problem\":{\"status\":400}}\n";
        for at in 0..text.len() {
            let mut lines = Lines::new(Vec::new());
            let (first, second) = text.split_at(at);
            lines.write_all(first.as_bytes()).await.unwrap();
            lines.write_all(second.as_bytes()).await.unwrap();
            assert_eq!((lines.refused(), lines.to), (1, text.as_bytes().to_vec()));
        }
    }
}
