//! The impact index as bytes: the same content gives the same bytes, damage is noticed.
//!
//! Layout, integers little-endian: magic `JEIMPACT`, format version `u16`, the bitmap of all
//! images, the number of packages `u32`; for each package its key as text and the number of its
//! versions `u32`; for each version its text and its bitmap; SHA-256 of all that stands before.
//! Texts and bitmaps (portable roaring form) are preceded by their length in bytes, `u32`.

use croaring::{Bitmap, Portable};
use sha2::{Digest as _, Sha256};

use super::ImpactIndex;
use crate::package::{Package, PackageKey};

const MAGIC: &[u8; 8] = b"JEIMPACT";
const FORMAT: u16 = 1;
const HASH_BYTES: usize = 32;

/// Why bytes are not a snapshot of an impact index. The caller builds the index anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It does not start as a snapshot does.
    #[error("these bytes are not an impact index snapshot")]
    Foreign,
    /// Another release wrote it.
    #[error("the snapshot has format {0}, this release reads format {FORMAT}")]
    Format(u16),
    /// It was cut short or changed.
    #[error("the snapshot is damaged: its checksum does not match")]
    Checksum,
    /// The checksum is right, the content is impossible.
    #[error("the snapshot contradicts itself at byte {0}")]
    Corrupt(usize),
}

impl ImpactIndex {
    /// Writes the index down.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        put_bitmap(&mut bytes, &self.images());
        put_count(&mut bytes, self.packages.len());
        for (key, versions) in &self.packages {
            put(&mut bytes, key.to_string().as_bytes());
            put_count(&mut bytes, versions.len());
            for (version, slot) in versions {
                put(&mut bytes, version.as_bytes());
                put_bitmap(&mut bytes, &self.slots[*slot as usize].images);
            }
        }
        let hash = Sha256::digest(&bytes);
        bytes.extend(hash);
        bytes
    }

    /// Reads what [`ImpactIndex::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SnapshotError`] on anything else; nothing of a damaged snapshot is kept.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let Some(format) = bytes
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.first_chunk())
        else {
            return Err(SnapshotError::Foreign);
        };
        let format = u16::from_le_bytes(*format);
        if format != FORMAT {
            return Err(SnapshotError::Format(format));
        }
        let (body, hash) = bytes
            .split_last_chunk::<HASH_BYTES>()
            .ok_or(SnapshotError::Checksum)?;
        if Sha256::digest(body).as_slice() != hash {
            return Err(SnapshotError::Checksum);
        }
        let mut reader = Reader {
            bytes: body,
            at: MAGIC.len() + size_of::<u16>(),
        };
        reader.index().ok_or(SnapshotError::Corrupt(reader.at))
    }
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("counts in an index fit into 32 bits");
    bytes.extend(count.to_le_bytes());
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    put_count(bytes, part.len());
    bytes.extend(part);
}

fn put_bitmap(bytes: &mut Vec<u8>, bitmap: &Bitmap) {
    // Built anew: a bitmap's containers depend on the order of its past changes.
    let mut canonical = Bitmap::of(&bitmap.to_vec());
    canonical.run_optimize();
    put(bytes, &canonical.serialize::<Portable>());
}

/// Reads forward; `None` where the bytes contradict themselves.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn index(&mut self) -> Option<ImpactIndex> {
        let numbers = self.bitmap()?.to_vec();
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); numbers.len()];
        let mut index = ImpactIndex::default();
        for _ in 0..self.count()? {
            let key: PackageKey = self.text()?.parse().ok()?;
            for _ in 0..self.count()? {
                let package = Package {
                    key: key.clone(),
                    version: self.text()?.to_owned(),
                };
                let images = self.bitmap().filter(|images| !images.is_empty())?;
                if index.by_package.contains_key(&package) {
                    return None;
                }
                let slot = index.slot_of(&package);
                for image in images.iter() {
                    places[numbers.binary_search(&image).ok()?].push(slot);
                }
                *index.slot_mut(slot) = images;
            }
        }
        index.images = numbers
            .into_iter()
            .zip(places.into_iter().map(Vec::into))
            .collect();
        (self.at == self.bytes.len()).then_some(index)
    }

    fn count(&mut self) -> Option<u32> {
        let count = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += count.len();
        Some(u32::from_le_bytes(*count))
    }

    fn part(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.count()?).ok()?;
        let part = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(part)
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.part()?).ok()
    }

    fn bitmap(&mut self) -> Option<Bitmap> {
        let part = self.part()?;
        Bitmap::try_deserialize::<Portable>(part)
            .filter(|bitmap| bitmap.get_serialized_size_in_bytes::<Portable>() == part.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package {
            key: format!("npm/{name}").parse().unwrap(),
            version: version.to_owned(),
        }
    }

    fn fleet() -> ImpactIndex {
        let mut index = ImpactIndex::default();
        index.image_set(7, &[package("a", "1.0.0"), package("b", "2.0.0")]);
        index.image_set(9, &[package("a", "1.0.0"), package("a", "1.1.0")]);
        index.image_set(11, &[]);
        index
    }

    #[test]
    fn a_snapshot_gives_the_index_back() {
        let bytes = fleet().to_bytes();
        let read = ImpactIndex::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.stats(), fleet().stats());
        assert_eq!(read.stats().images, 3);
    }

    #[test]
    fn a_snapshot_read_back_can_be_changed() {
        let mut read = ImpactIndex::from_bytes(&fleet().to_bytes()).unwrap();
        assert!(read.image_set(9, &[package("b", "2.0.0")]));
        assert_eq!(read.hit(&package("b", "").key, |_| true).to_vec(), [7, 9]);
        assert_eq!(read.hit(&package("a", "").key, |_| true).to_vec(), [7]);
    }

    #[test]
    fn the_past_leaves_no_trace_in_the_bytes() {
        let mut index = fleet();
        for image in 0..10_000 {
            index.image_set(image, &[package("a", "1.0.0"), package("c", "3.0.0")]);
        }
        for image in 0..10_000 {
            index.image_remove(image);
        }
        for (image, packages) in [
            (9, vec![package("a", "1.1.0"), package("a", "1.0.0")]),
            (7, vec![package("b", "2.0.0"), package("a", "1.0.0")]),
            (11, vec![]),
        ] {
            index.image_set(image, &packages);
        }
        index.image_remove(10_000);
        assert_eq!(index.to_bytes(), fleet().to_bytes());
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let bytes = fleet().to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(
                ImpactIndex::from_bytes(&damaged).is_err(),
                "byte {at} changed"
            );
            assert!(
                ImpactIndex::from_bytes(&bytes[..at]).is_err(),
                "cut at {at}"
            );
        }
        let mut newer = bytes.clone();
        newer[8] = 2;
        assert_eq!(
            ImpactIndex::from_bytes(&newer).unwrap_err(),
            SnapshotError::Format(2)
        );
        assert_eq!(
            ImpactIndex::from_bytes(b"{}").unwrap_err(),
            SnapshotError::Foreign
        );
    }

    #[test]
    fn impossible_content_is_refused_under_a_right_checksum() {
        let bytes = fleet().to_bytes();
        for at in 10..bytes.len() - HASH_BYTES {
            let mut forged = bytes[..bytes.len() - HASH_BYTES].to_vec();
            forged[at] = 0xff;
            let hash = Sha256::digest(&forged);
            forged.extend(hash);
            // Some changes only rename a package: what is read then must still hold together.
            if let Ok(read) = ImpactIndex::from_bytes(&forged) {
                assert_eq!(read.stats().images, read.images().cardinality());
            }
        }
    }
}
