//! Reading one file whole, packed or not, up to a bound.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use jobengine_impact::document::{DocumentCode, DocumentError, too_large};

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Largest zstd window: 2^27 bytes, which `zstd --long` uses.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Reads a file; how it is packed is known by its first bytes, not by its name. Never holds more
/// than `max_bytes` of what it unpacks to.
///
/// # Errors
/// [`DocumentCode::Unreadable`]; [`DocumentCode::TooLarge`], or [`DocumentCode::CompressionBomb`]
/// where the file is packed; [`DocumentCode::CompressionTruncated`];
/// [`DocumentCode::CompressionInvalid`].
pub(super) fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>, DocumentError> {
    let unreadable =
        |error: io::Error| DocumentError::new(DocumentCode::Unreadable, "the file", error);
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let magic = file.fill_buf().map_err(unreadable)?;
    if magic.starts_with(ZSTD_MAGIC) {
        let mut decoder = zstd::Decoder::with_buffer(file).map_err(unreadable)?;
        decoder
            .window_log_max(ZSTD_WINDOW_LOG_MAX)
            .map_err(unreadable)?;
        return unpack(decoder, max_bytes);
    }
    if magic.starts_with(GZIP_MAGIC) {
        return unpack(MultiGzDecoder::new(file), max_bytes);
    }
    let mut bytes = Vec::new();
    bounded(file, max_bytes)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > max_bytes {
        let whole = path
            .metadata()
            .map_or(bytes.len() as u64, |file| file.len());
        return Err(too_large(whole, max_bytes as u64));
    }
    Ok(bytes)
}

fn unpack(decoder: impl Read, max_bytes: usize) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    let result = bounded(decoder, max_bytes).read_to_end(&mut bytes);
    let place = format!("byte {} of what it unpacks to", bytes.len());
    match result {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(DocumentError::new(
            DocumentCode::CompressionTruncated,
            place,
            "the packed stream ends before its end",
        )),
        Err(error) => Err(DocumentError::new(
            DocumentCode::CompressionInvalid,
            place,
            error,
        )),
        Ok(_) if bytes.len() > max_bytes => Err(DocumentError::new(
            DocumentCode::CompressionBomb,
            place,
            format_args!("it unpacks to more than {max_bytes} bytes"),
        )),
        Ok(_) => Ok(bytes),
    }
}

/// One byte more than allowed tells that there is more.
fn bounded(reader: impl Read, max_bytes: usize) -> impl Read {
    reader.take(max_bytes as u64 + 1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("packed")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn check(bytes: &[u8], expected: Result<&[u8], DocumentCode>) {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("written");
        let read = read(file.path(), 1_000);
        assert_eq!(
            read.as_deref().map_err(|error| error.code),
            expected,
            "{read:?}"
        );
    }

    #[test]
    fn plain_and_packed_files_read_alike() {
        let text = b"{\"a\": 1}".repeat(20);
        check(&text, Ok(&text));
        check(&zstd(&text), Ok(&text));
        check(&gzip(&text), Ok(&text));
        let twice = [zstd(&text), zstd(&text)].concat();
        check(&twice, Ok(&text.repeat(2)));
        check(b"", Ok(b""));
    }

    #[test]
    fn what_is_cut_short_broken_or_too_much_is_told_apart() {
        let noise: Vec<u8> = (0..900_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1])
            .collect();
        for packed in [zstd(&noise), gzip(&noise)] {
            for cut in [packed.len() / 2, packed.len() - 1] {
                check(&packed[..cut], Err(DocumentCode::CompressionTruncated));
            }
        }
        check(
            &[zstd(b"{}"), b"garbage".to_vec()].concat(),
            Err(DocumentCode::CompressionInvalid),
        );
        let bomb = vec![b'['; 10_000_000];
        check(&zstd(&bomb), Err(DocumentCode::CompressionBomb));
        check(&gzip(&bomb), Err(DocumentCode::CompressionBomb));
        check(&bomb, Err(DocumentCode::TooLarge));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nowhere/at/all"), 1).expect_err("refused");
        assert_eq!(error.code, DocumentCode::Unreadable);
    }
}
