//! The lines of a body of any length, in slices of a bounded size.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt as _;

use crate::problem::{Code, Problem};

/// Lines of one slice.
pub(super) const SLICE_LINES: usize = 1_000;
/// Bytes of one slice after which it takes no further line.
const SLICE_BYTES: usize = 4 * 1024 * 1024;
/// Longest line, in bytes.
const LINE_BYTES: usize = 256 * 1024;
/// A client that sends nothing for so long is not waited for.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Some lines that stand one after another.
#[derive(Debug, Default)]
pub(super) struct Slice {
    /// Counted from 0.
    pub number: u64,
    /// Each line with its number in the body, counted from 1; without the empty ones.
    pub lines: Vec<(u64, Vec<u8>)>,
}

/// Reads lines off a body, no faster than they are asked for. Where the slices are cut depends on the lines
/// alone, not on how they arrive: the same body has the same slices.
pub(super) struct Lines {
    body: BodyDataStream,
    rest: Bytes,
    line: u64,
    slice: u64,
    ended: bool,
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            rest: Bytes::new(),
            line: 0,
            slice: 0,
            ended: false,
        }
    }

    /// The number of the line that was read last.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The next slice; `None` at the end.
    ///
    /// # Errors
    /// `BODY_TOO_LARGE` for a line that is, `REQUEST_TIMEOUT` when the body stalls or breaks off: what was read
    /// of the slice is dropped, because it may not be whole.
    pub(super) async fn slice(&mut self) -> Result<Option<Slice>, Problem> {
        let mut slice = Slice {
            number: self.slice,
            lines: Vec::new(),
        };
        let mut bytes = 0;
        while slice.lines.len() < SLICE_LINES && bytes < SLICE_BYTES {
            let Some(line) = self.next().await? else {
                break;
            };
            self.line += 1;
            if !line.trim_ascii().is_empty() {
                bytes += line.len();
                slice.lines.push((self.line, line));
            }
        }
        self.slice += 1;
        Ok(Some(slice).filter(|slice| !slice.lines.is_empty()))
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut line = Vec::new();
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&self.rest.split_to(end));
                let _ = self.rest.split_to(1);
                return within(line).map(Some);
            }
            line.extend_from_slice(&std::mem::take(&mut self.rest));
            line = within(line)?;
            if self.ended {
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
            let chunk = tokio::time::timeout(PAUSE_MAX, self.body.next());
            match chunk.await {
                Err(_) => {
                    let detail = format!("no byte came for {} s", PAUSE_MAX.as_secs());
                    return Err(Problem::new(Code::RequestTimeout, detail));
                }
                Ok(None) => self.ended = true,
                Ok(Some(Ok(chunk))) => self.rest = chunk,
                Ok(Some(Err(_))) => {
                    let detail = "the connection broke off in the body";
                    return Err(Problem::new(Code::RequestTimeout, detail));
                }
            }
        }
    }
}

fn within(line: Vec<u8>) -> Result<Vec<u8>, Problem> {
    if line.len() > LINE_BYTES {
        let detail = format!("a line has at most {LINE_BYTES} bytes");
        return Err(Problem::new(Code::BodyTooLarge, detail));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn slices(chunks: Vec<String>) -> Result<Vec<Vec<u64>>, Code> {
        let chunks = chunks.into_iter().map(Ok::<_, std::io::Error>);
        let mut lines = Lines::new(Body::from_stream(stream::iter(chunks)));
        let mut all = Vec::new();
        while let Some(slice) = lines.slice().await.map_err(|problem| problem.code())? {
            assert_eq!(slice.number, all.len() as u64);
            all.push(slice.lines.iter().map(|(number, _)| *number).collect());
        }
        Ok(all)
    }

    #[tokio::test]
    async fn slices_hang_on_the_lines_alone() {
        let text = "{}\n".repeat(SLICE_LINES + 2);
        let whole = slices(vec![text.clone()]).await.unwrap();
        assert_eq!(
            whole.iter().map(Vec::len).collect::<Vec<_>>(),
            [SLICE_LINES, 2]
        );
        let pieces = text.as_bytes().chunks(7);
        let pieces = pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap());
        assert_eq!(slices(pieces.collect()).await.unwrap(), whole);
        let odd = slices(vec!["a\n\n \nb".to_owned()]).await.unwrap();
        assert_eq!(odd, [[1, 4]]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_refused() {
        let endless = vec!["x".repeat(100_000); 4];
        assert_eq!(slices(endless).await.unwrap_err(), Code::BodyTooLarge);
    }
}
