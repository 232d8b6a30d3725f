//! The closed set of things that can be wrong with a foreign document.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$text:meta])+ $name:ident = $code:literal,)+) => {
        /// What is wrong with a document. The spelling is part of the contract: it stands in
        /// problems, in reports and in the pages that explain them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DocumentCode {
            $($(#[$text])+ #[serde(rename = $code)] $name,)+
        }

        impl DocumentCode {
            /// Every code, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable spelling: `DOCUMENT_TRUNCATED`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

codes! {
    /// More bytes than are read of such a document.
    TooLarge = "DOCUMENT_TOO_LARGE",
    /// More levels of nesting than any honest document has.
    TooDeep = "DOCUMENT_TOO_DEEP",
    /// A NUL, raw or as `\u0000`: databases and programs in C cannot keep it.
    Nul = "DOCUMENT_NUL",
    /// Not UTF-8.
    Utf8Invalid = "DOCUMENT_UTF8_INVALID",
    /// JSON that ends before it is closed.
    Truncated = "DOCUMENT_TRUNCATED",
    /// Not JSON, or something stands behind its end.
    JsonInvalid = "DOCUMENT_JSON_INVALID",
    /// The file cannot be read at all.
    Unreadable = "DOCUMENT_UNREADABLE",
    /// Neither `CycloneDX` nor SPDX.
    SbomFormatUnknown = "SBOM_FORMAT_UNKNOWN",
    /// A version of a known SBOM format that is not read.
    SbomVersionUnsupported = "SBOM_VERSION_UNSUPPORTED",
    /// A field of an SBOM has the wrong type, twice a value, or none.
    SbomFieldInvalid = "SBOM_FIELD_INVALID",
    /// A purl with a broken percent escape: what it names cannot be known.
    PurlInvalid = "PURL_INVALID",
    /// An advisory without an id.
    AdvisoryIdMissing = "ADVISORY_ID_MISSING",
    /// An advisory that names a package but no range and no version of it.
    AdvisoryRangeMissing = "ADVISORY_RANGE_MISSING",
    /// A field of an advisory has the wrong type or a value outside the OSV schema.
    AdvisoryFieldInvalid = "ADVISORY_FIELD_INVALID",
    /// Not a catalogue of known exploited vulnerabilities, or not a whole one.
    KevInvalid = "KEV_INVALID",
    /// Not an `OpenVEX` document, or one whose statements are incomplete.
    VexInvalid = "VEX_INVALID",
    /// A table of severities with a line that cannot be read.
    SeverityInvalid = "SEVERITY_INVALID",
    /// A compressed stream that ends before its end.
    CompressionTruncated = "COMPRESSION_TRUNCATED",
    /// A compressed stream that cannot be unpacked.
    CompressionInvalid = "COMPRESSION_INVALID",
    /// A compressed stream that unpacks to more than is read of such a file.
    CompressionBomb = "COMPRESSION_BOMB",
}

impl fmt::Display for DocumentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_the_stable_spelling() {
        for code in DocumentCode::ALL {
            let wire = serde_json::to_string(code).unwrap();
            assert_eq!(wire, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<DocumentCode>(&wire).unwrap(), *code);
        }
    }
}
