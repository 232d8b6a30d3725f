//! Files that hold many records.

use super::{Document, DocumentError, Position, scan};

/// One record of a file: its bytes as they came, and the document they are.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    /// Without the space around them.
    pub bytes: &'a [u8],
    /// The bytes, checked.
    pub document: Result<Document<'a>, DocumentError>,
}

impl<'a> Piece<'a> {
    fn new(bytes: &'a [u8], document: Result<Document<'a>, DocumentError>) -> Self {
        let bytes = bytes.trim_ascii();
        Self { bytes, document }
    }
}

/// The documents of [`pieces`].
pub fn records(bytes: &[u8], record_max_bytes: usize) -> Vec<Result<Document<'_>, DocumentError>> {
    let pieces = pieces(bytes, record_max_bytes).into_iter();
    pieces.map(|piece| piece.document).collect()
}

/// Splits a file of records: one JSON value, a JSON array of records, or JSON Lines.
///
/// A line or an array element that is refused does not take the others with it; an array that is
/// not whole JSON is refused as a whole. Places count from the start of the file.
pub fn pieces(bytes: &[u8], record_max_bytes: usize) -> Vec<Piece<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_json_lines(bytes) {
        return lines(bytes, record_max_bytes);
    }
    if bytes.trim_ascii_start().first() != Some(&b'[') {
        return vec![Piece::new(bytes, Document::check(bytes, record_max_bytes))];
    }
    match Document::check(bytes, usize::MAX).and_then(|whole| whole.validate()) {
        Ok(()) => array(bytes, record_max_bytes),
        Err(error) => vec![Piece::new(bytes, Err(error))],
    }
}

/// Whether each line is a document of its own: two lines open an object, and the first of them does
/// not end where a value must go on in the next line.
fn is_json_lines(bytes: &[u8]) -> bool {
    let mut filled = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut filled = filled.by_ref().filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (filled.next(), filled.next()) else {
        return false;
    };
    first.starts_with(b"{")
        && second.starts_with(b"{")
        && !matches!(first.last(), Some(b'[' | b',' | b':' | b'{'))
}

fn lines(bytes: &[u8], max_bytes: usize) -> Vec<Piece<'_>> {
    bytes
        .split(|byte| *byte == b'\n')
        .zip(1..)
        .filter(|(line, _)| !line.trim_ascii().is_empty())
        .map(|(line, number)| {
            let origin = Position {
                line: number,
                column: 1,
            };
            let place = format!("line {number}: ");
            Piece::new(line, Document::check_piece(line, max_bytes, origin, place))
        })
        .collect()
}

fn array(bytes: &[u8], max_bytes: usize) -> Vec<Piece<'_>> {
    let mut origin = Position::START;
    let mut done = 0;
    scan::elements(bytes)
        .into_iter()
        .enumerate()
        .map(|(index, span)| {
            origin = origin.plus(&bytes[done..span.start]);
            done = span.start;
            let (piece, place) = (&bytes[span], format!("[{index}]."));
            Piece::new(
                piece,
                Document::check_piece(piece, max_bytes, origin, place),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::document::DocumentCode;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[expect(dead_code, reason = "only its type is of interest")]
        list: Vec<u8>,
    }

    fn places(file: &str) -> Vec<String> {
        records(file.as_bytes(), 1_000)
            .into_iter()
            .map(|record| {
                match record.and_then(|it| it.parse::<Sample>(DocumentCode::VexInvalid)) {
                    Ok(_) => "ok".to_owned(),
                    Err(error) => format!("{} {}", error.code, error.place),
                }
            })
            .collect()
    }

    #[test]
    fn a_file_of_records_is_split_and_one_bad_record_stays_alone() {
        let good = r#"{"list":[1]}"#;
        assert_eq!(places(good), ["ok"]);
        assert_eq!(places("{\n\"list\":\n[1]}"), ["ok"]);
        assert_eq!(places("{\"other\":[\n{},\n{}],\"list\":[]}"), ["ok"]);
        assert_eq!(
            places(&format!("{good}\n\n{{\"list\":3}}\n{good}\n{{\"list\":\n")),
            [
                "ok",
                "VEX_INVALID line 3: list",
                "ok",
                "DOCUMENT_TRUNCATED line 5 column 8"
            ],
        );
        assert_eq!(
            places(&format!("{{\"list\":\n{good}\n")),
            ["VEX_INVALID list"]
        );
        assert_eq!(
            places(&format!("[{good},\n {{\"list\":3}},{{}}]")),
            ["ok", "VEX_INVALID [1].list", "VEX_INVALID line 2 column 14"],
        );
        assert_eq!(
            places(&format!("[{good},")),
            ["DOCUMENT_TRUNCATED line 1 column 14"]
        );
    }
}
