//! Unpacking what came packed, up to a bound.

use std::io::{ErrorKind, Read};

use flate2::read::MultiGzDecoder;
use jobengine_impact::document::{DocumentCode, DocumentError};

/// Largest zstd window: 2^27 bytes, which `zstd --long` uses.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// A stream may unpack to so many times its own size.
const RATIO_MAX: usize = 100;
/// Below this many bytes no ratio is looked at: small texts pack very well.
const RATIO_FREE_BYTES: usize = 1024 * 1024;

/// How a document is packed, as `Content-Encoding` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `zstd` (RFC 8878).
    Zstd,
    /// `gzip` (RFC 1952).
    Gzip,
}

/// Unpacks a whole stream; it ends as soon as it has more than `max_bytes`, or more than a hundred
/// times what it was packed to.
///
/// # Errors
/// [`DocumentCode::CompressionTruncated`], [`DocumentCode::CompressionInvalid`],
/// [`DocumentCode::CompressionBomb`].
pub(super) fn unpack(
    packed: &[u8],
    encoding: Encoding,
    max_bytes: usize,
) -> Result<Vec<u8>, DocumentError> {
    let by_ratio = packed.len().saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
    let cap = max_bytes.min(by_ratio);
    let invalid = |error: std::io::Error| {
        DocumentError::new(DocumentCode::CompressionInvalid, "the packed stream", error)
    };
    match encoding {
        Encoding::Gzip => drain(MultiGzDecoder::new(packed), cap),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(packed).map_err(invalid)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(invalid)?;
            drain(decoder, cap)
        }
    }
}

fn drain(decoder: impl Read, cap: usize) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells that there is more.
    let result = decoder.take(cap as u64 + 1).read_to_end(&mut bytes);
    let refuse = |code, detail: &dyn std::fmt::Display| {
        let place = format_args!("byte {} of what it unpacks to", bytes.len());
        Err(DocumentError::new(code, place, detail))
    };
    match result {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => refuse(
            DocumentCode::CompressionTruncated,
            &"the packed stream ends before its end",
        ),
        Err(error) => refuse(DocumentCode::CompressionInvalid, &error),
        Ok(_) if bytes.len() > cap => refuse(
            DocumentCode::CompressionBomb,
            &format_args!("it unpacks to more than {cap} bytes"),
        ),
        Ok(_) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const MAX: usize = 8 * 1024 * 1024;

    fn packed(bytes: &[u8]) -> [(Encoding, Vec<u8>); 2] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        [
            (Encoding::Zstd, zstd::encode_all(bytes, 3).unwrap()),
            (Encoding::Gzip, gzip.finish().unwrap()),
        ]
    }

    fn code(encoding: Encoding, bytes: &[u8], max: usize) -> DocumentCode {
        unpack(bytes, encoding, max).unwrap_err().code
    }

    /// Bytes that do not pack.
    fn noise(length: u32) -> Vec<u8> {
        (0..length)
            .map(|n| {
                n.wrapping_mul(2_654_435_761)
                    .rotate_left(n % 31)
                    .to_be_bytes()[1]
            })
            .collect()
    }

    #[test]
    fn a_whole_stream_is_unpacked() {
        for (encoding, bytes) in packed(b"{\"a\": 1}") {
            assert_eq!(unpack(&bytes, encoding, 8).unwrap(), b"{\"a\": 1}");
            let twice = bytes.repeat(2);
            assert_eq!(
                unpack(&twice, encoding, 16).unwrap(),
                b"{\"a\": 1}{\"a\": 1}"
            );
            assert_eq!(code(encoding, &bytes, 7), DocumentCode::CompressionBomb);
        }
    }

    #[test]
    fn a_cut_or_damaged_stream_is_refused() {
        for (encoding, bytes) in packed(&noise(100_000)) {
            for cut in [0, 5, bytes.len() / 2, bytes.len() - 1] {
                let code = code(encoding, &bytes[..cut], MAX);
                assert_eq!(
                    code,
                    DocumentCode::CompressionTruncated,
                    "{encoding:?} {cut}"
                );
            }
            let tail = [bytes.as_slice(), b"tail"].concat();
            assert_ne!(code(encoding, &tail, MAX), DocumentCode::CompressionBomb);
            assert_eq!(
                code(encoding, b"{\"a\": 1} and more", MAX),
                DocumentCode::CompressionInvalid
            );
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked_to_its_end() {
        for (encoding, bytes) in packed(&vec![b' '; MAX]) {
            let error = unpack(&bytes, encoding, MAX).unwrap_err();
            assert_eq!(error.code, DocumentCode::CompressionBomb, "{encoding:?}");
            let least = (bytes.len() * RATIO_MAX).max(RATIO_FREE_BYTES);
            assert!(
                least < MAX && error.place.contains(&format!("byte {}", least + 1)),
                "{error}"
            );
        }
    }
}
