//! Documents to send: from memory or, streamed, from a file.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::Error;

/// A document to send. It can be sent again, so that a call may be repeated.
#[derive(Debug, Clone)]
pub struct Document {
    source: Source,
    encoding: Option<Encoding>,
}

#[derive(Debug, Clone)]
enum Source {
    Bytes(Bytes),
    File(PathBuf),
}

/// How a document is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Zstandard.
    Zstd,
    /// Gzip.
    Gzip,
}

impl Encoding {
    /// As `Content-Encoding` spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

impl Document {
    /// A document in memory, not packed.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self {
            source: Source::Bytes(bytes.into()),
            encoding: None,
        }
    }

    /// A file, sent as it is read. One that ends in `.zst` or `.gz` is sent packed as it is.
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let encoding = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("zst") => Some(Encoding::Zstd),
            Some("gz") => Some(Encoding::Gzip),
            _ => None,
        };
        Self {
            source: Source::File(path.to_owned()),
            encoding,
        }
    }

    /// Says how the document is packed.
    #[must_use]
    pub fn packed(self, encoding: Encoding) -> Self {
        Self {
            encoding: Some(encoding),
            ..self
        }
    }

    pub(crate) fn encoding(&self) -> Option<Encoding> {
        self.encoding
    }

    pub(crate) async fn body(&self) -> Result<reqwest::Body, Error> {
        match &self.source {
            Source::Bytes(bytes) => Ok(bytes.clone().into()),
            Source::File(path) => {
                let file = tokio::fs::File::open(path).await;
                file.map(Into::into).map_err(|source| Error::File {
                    path: path.clone(),
                    source,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_by_its_name_how_it_is_packed() {
        let check = |name: &str, expected| {
            assert_eq!(Document::file(name).encoding(), expected, "{name}");
        };
        check("all.jsonl.zst", Some(Encoding::Zstd));
        check("all.json.GZ", Some(Encoding::Gzip));
        check("all.json", None);
        check("zst", None);
    }
}
