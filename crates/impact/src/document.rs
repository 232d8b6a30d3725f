//! Reading foreign documents without trusting them.
//!
//! Everything that comes from outside passes [`Document::check`] first: size, UTF-8, NULs, nesting.
//! Only then does a parser see it, and the parser's complaints become a [`DocumentError`] with a
//! stable code and a place that a person finds.

mod code;
mod records;
mod scan;

use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

pub use self::code::DocumentCode;
pub use self::records::{Piece, pieces, records};
use self::scan::Fault;

/// Levels of arrays and objects inside one another that a document may have.
pub const DEPTH_MAX: usize = 64;

/// Characters of a place or a detail: both quote what was met, which may be megabytes.
const TEXT_MAX_CHARS: usize = 200;

/// Why a document was refused: a stable code, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail} ({place})")]
pub struct DocumentError {
    /// What is wrong; stable, part of the contract.
    pub code: DocumentCode,
    /// Where: `line 3 column 17`, `components[4].purl`, `line 12: affected[0].ranges`.
    pub place: String,
    /// One sentence for a person.
    pub detail: String,
}

impl DocumentError {
    /// A refusal; place and detail are cut to a readable length and freed of control characters.
    pub fn new(code: DocumentCode, place: impl Display, detail: impl Display) -> Self {
        Self {
            code,
            place: readable(&place.to_string()),
            detail: readable(&detail.to_string()),
        }
    }
}

fn readable(text: &str) -> String {
    let letters = text.chars().take(TEXT_MAX_CHARS);
    let mut kept: String = letters
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// A whole foreign document, or one record of a file with many: UTF-8, without NUL, at most
/// [`DEPTH_MAX`] levels deep.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    text: &'a str,
    origin: Position,
    prefix: String,
}

impl<'a> Document<'a> {
    /// Checks a whole document. A byte order mark is stepped over.
    ///
    /// # Errors
    /// [`DocumentCode::TooLarge`] above `max_bytes`, [`DocumentCode::Utf8Invalid`],
    /// [`DocumentCode::Nul`], [`DocumentCode::TooDeep`].
    pub fn check(bytes: &'a [u8], max_bytes: usize) -> Result<Self, DocumentError> {
        Self::check_piece(bytes, max_bytes, Position::START, String::new())
    }

    fn check_piece(
        bytes: &'a [u8],
        max_bytes: usize,
        origin: Position,
        prefix: String,
    ) -> Result<Self, DocumentError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let place = |at: usize| origin.plus(&bytes[..at]);
        if bytes.len() > max_bytes {
            return Err(too_large(bytes.len() as u64, max_bytes as u64));
        }
        scan::guard(bytes, DEPTH_MAX).map_err(|fault| match fault {
            Fault::TooDeep(at) => DocumentError::new(
                DocumentCode::TooDeep,
                place(at),
                format_args!("more than {DEPTH_MAX} levels of nesting"),
            ),
            Fault::Nul(at) => DocumentError::new(
                DocumentCode::Nul,
                place(at),
                "a NUL character is not allowed",
            ),
        })?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = place(error.valid_up_to());
            DocumentError::new(
                DocumentCode::Utf8Invalid,
                at,
                "the bytes here are not UTF-8",
            )
        })?;
        Ok(Self {
            text,
            origin,
            prefix,
        })
    }

    /// Reads the document, which must be an object, as `T`.
    ///
    /// # Errors
    /// [`DocumentCode::Truncated`] or [`DocumentCode::JsonInvalid`] with line and column; `wrong`
    /// with the path of the field where it is JSON, but not a `T`.
    pub fn parse<T: Deserialize<'a>>(&self, wrong: DocumentCode) -> Result<T, DocumentError> {
        // A list would be read as the fields of `T` in their order.
        if !self.text.trim_ascii_start().starts_with('{') {
            self.validate()?;
            let detail = "the document is not a JSON object";
            return Err(DocumentError::new(wrong, self.origin, detail));
        }
        serde_json::from_str(self.text).map_err(|error| match error.classify() {
            Category::Data => self.mistyped::<T>(wrong, &error),
            Category::Eof | Category::Syntax | Category::Io => self.malformed(&error),
        })
    }

    /// Whether the document is JSON at all, whatever it says.
    fn validate(&self) -> Result<(), DocumentError> {
        match serde_json::from_str::<IgnoredAny>(self.text) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.malformed(&error)),
        }
    }

    /// A refusal of this document because of the field at `path`.
    pub fn refuse(
        &self,
        code: DocumentCode,
        path: impl Display,
        detail: impl Display,
    ) -> DocumentError {
        DocumentError::new(code, format_args!("{}{path}", self.prefix), detail)
    }

    /// Where `path` of this document is in the file that it came in.
    pub fn place(&self, path: impl Display) -> String {
        readable(&format!("{}{path}", self.prefix))
    }

    fn malformed(&self, error: &serde_json::Error) -> DocumentError {
        let code = if error.is_eof() {
            DocumentCode::Truncated
        } else {
            DocumentCode::JsonInvalid
        };
        self.misread(code, error)
    }

    fn misread(&self, code: DocumentCode, error: &serde_json::Error) -> DocumentError {
        let at = self.origin.shifted(error.line(), error.column());
        DocumentError::new(code, at, complaint(error))
    }

    /// Reads again, this time with a note of the path: bad documents are rare, and may be slow.
    fn mistyped<T: Deserialize<'a>>(
        &self,
        code: DocumentCode,
        error: &serde_json::Error,
    ) -> DocumentError {
        let mut reader = serde_json::Deserializer::from_str(self.text);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(traced) if traced.path().iter().next().is_some() => {
                self.refuse(code, traced.path(), complaint(traced.inner()))
            }
            _ => self.misread(code, error),
        }
    }
}

/// A refusal because of size, in the words used everywhere.
pub fn too_large(bytes: u64, max_bytes: u64) -> DocumentError {
    DocumentError::new(
        DocumentCode::TooLarge,
        format_args!("byte {max_bytes}"),
        format_args!("{bytes} bytes, where at most {max_bytes} are read"),
    )
}

/// What the parser says, without its own idea of the place.
pub(crate) fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(words, _)| words.to_owned())
}

/// A place in a file, both counted from 1; columns are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    const START: Self = Self { line: 1, column: 1 };

    /// The place behind these bytes.
    fn plus(self, bytes: &[u8]) -> Self {
        let mut place = self;
        for byte in bytes {
            if *byte == b'\n' {
                place = Self {
                    line: place.line + 1,
                    column: 1,
                };
            } else {
                place.column += 1;
            }
        }
        place
    }

    /// The place that is `line` and `column` when counted from here. The parser says column 0 for
    /// the end of a line just begun.
    fn shifted(self, line: usize, column: usize) -> Self {
        let column = column.max(1);
        if line <= 1 {
            Self {
                line: self.line,
                column: self.column + column - 1,
            }
        } else {
            Self {
                line: self.line + line - 1,
                column,
            }
        }
    }
}

impl Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[expect(dead_code, reason = "only its type is of interest")]
        list: Vec<u8>,
    }

    fn check(bytes: &[u8], code: DocumentCode, place: &str) {
        let error = Document::check(bytes, 1_000)
            .and_then(|document| document.parse::<Sample>(DocumentCode::SbomFieldInvalid))
            .expect_err("refused");
        assert_eq!((error.code, error.place.as_str()), (code, place), "{error}");
    }

    #[test]
    fn each_fault_has_its_code_and_place() {
        check(b"", DocumentCode::Truncated, "line 1 column 1");
        check(
            b"{\"list\":\n [1,",
            DocumentCode::Truncated,
            "line 2 column 4",
        );
        check(
            b"{\"list\": \"ab",
            DocumentCode::Truncated,
            "line 1 column 12",
        );
        check(
            b"{\"list\": \"ab\"}",
            DocumentCode::SbomFieldInvalid,
            "list",
        );
        check(
            b"{\"list\": [1, x]}",
            DocumentCode::JsonInvalid,
            "line 1 column 14",
        );
        check(
            b"{\"list\": [1]} {",
            DocumentCode::JsonInvalid,
            "line 1 column 15",
        );
        check(
            b"{\"list\": [1, -1]}",
            DocumentCode::SbomFieldInvalid,
            "list[1]",
        );
        check(
            b"{\"list\": [], \"list\": []}",
            DocumentCode::SbomFieldInvalid,
            "line 1 column 19",
        );
        check(b"[]", DocumentCode::SbomFieldInvalid, "line 1 column 1");
        check(b"[[]", DocumentCode::Truncated, "line 1 column 3");
        check(
            b"{\"a\":\n\"\xff\"}",
            DocumentCode::Utf8Invalid,
            "line 2 column 2",
        );
        check(
            b"{\"a\":\n\"\\u0000\"}",
            DocumentCode::Nul,
            "line 2 column 2",
        );
        check(
            "[".repeat(65).as_bytes(),
            DocumentCode::TooDeep,
            "line 1 column 65",
        );
        check(&[b' '; 1_001], DocumentCode::TooLarge, "byte 1000");
    }

    #[test]
    fn a_hundred_megabytes_of_brackets_are_refused_at_once() {
        let bomb = vec![b'['; 100_000_000];
        let error = Document::check(&bomb, usize::MAX).expect_err("refused");
        assert_eq!(error.code, DocumentCode::TooDeep);
        assert_eq!(
            Document::check(&bomb, 1_000).expect_err("refused").code,
            DocumentCode::TooLarge
        );
    }

    #[test]
    fn a_detail_stays_readable() {
        let text = format!("{{\"list\": [\"{}\"]}}", "\u{1b}x".repeat(10_000));
        let error = DocumentError::new(DocumentCode::VexInvalid, &text, &text);
        assert_eq!(error.place, error.detail);
        assert!(error.detail.chars().count() <= TEXT_MAX_CHARS + 1);
        assert!(!error.detail.contains('\u{1b}'));
    }
}
