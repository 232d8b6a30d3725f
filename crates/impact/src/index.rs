//! The impact index: package → versions in the fleet → images that carry them.
//!
//! An image is a number here (`u32`, given by the caller and kept by it for the image's life), a
//! set of images a roaring bitmap. Bitmaps are united all at once (`Bitmap::fast_or`): one by one
//! costs eleven times as much where a package sits in nearly every image.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use croaring::{Bitmap, Portable};

use crate::package::{Package, PackageKey};

mod snapshot;

pub use snapshot::SnapshotError;

/// Which images carry which version of which package.
#[derive(Debug, Clone, Default)]
pub struct ImpactIndex {
    /// Version → place in `slots`.
    packages: BTreeMap<PackageKey, BTreeMap<String, u32>>,
    /// The same, to find one place fast: an image asks for hundreds. It is never walked, so its
    /// order shows nowhere, and its hashes are the same in every process.
    by_package: HashMap<Arc<Package>, u32, BuildHasherDefault<DefaultHasher>>,
    slots: Vec<Slot>,
    /// Places in `slots` that hold nothing, to be used again.
    free: Vec<u32>,
    /// Image → its places in `slots`, sorted. Without it, replacing an image would have to look
    /// at every bitmap.
    images: BTreeMap<u32, Box<[u32]>>,
}

/// One version of one package.
#[derive(Debug, Clone)]
struct Slot {
    package: Arc<Package>,
    images: Bitmap,
}

/// How much an index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// Images, those without a known package included.
    pub images: u64,
    /// Distinct packages.
    pub packages: u64,
    /// Distinct versions of packages.
    pub versions: u64,
    /// Pairs of (image, package version).
    pub pairs: u64,
    /// Size of the bitmaps in the portable roaring form, as they are held: the same set may be held
    /// as runs or as a list, depending on how it came about.
    pub bitmap_bytes: u64,
}

impl ImpactIndex {
    /// Makes these packages all that the image carries; tells whether that changed anything.
    ///
    /// The same package may come several times, and in any order.
    pub fn image_set<'p>(
        &mut self,
        image: u32,
        packages: impl IntoIterator<Item = &'p Package>,
    ) -> bool {
        let mut now: Vec<u32> = packages
            .into_iter()
            .map(|package| self.slot_of(package))
            .collect();
        now.sort_unstable();
        now.dedup();
        let before = self.images.insert(image, now.clone().into_boxed_slice());
        let known = before.is_some();
        let before = before.unwrap_or_default();
        // New places are filled first, so that none of them looks empty while old ones are freed.
        let added = absent(&now, &before)
            .inspect(|slot| self.slot_mut(*slot).add(image))
            .count();
        let gone: Vec<u32> = absent(&before, &now).collect();
        for slot in &gone {
            self.leave(*slot, image);
        }
        !known || added > 0 || !gone.is_empty()
    }

    /// Forgets an image; tells whether it was known.
    pub fn image_remove(&mut self, image: u32) -> bool {
        let Some(slots) = self.images.remove(&image) else {
            return false;
        };
        for slot in slots {
            self.leave(slot, image);
        }
        true
    }

    /// Every image, those without a known package included.
    pub fn images(&self) -> Bitmap {
        self.images.keys().copied().collect()
    }

    /// Every package of the fleet, sorted.
    pub fn packages(&self) -> impl Iterator<Item = &PackageKey> {
        self.packages.keys()
    }

    /// The versions of one package in the fleet, sorted as text, with the images that carry each.
    pub fn versions(&self, package: &PackageKey) -> impl Iterator<Item = (&str, &Bitmap)> {
        self.packages
            .get(package)
            .into_iter()
            .flatten()
            .map(|(version, slot)| (version.as_str(), &self.slots[*slot as usize].images))
    }

    /// The images that carry a version of the package for which `hit` says yes. Each distinct
    /// version is asked for once, however many images carry it.
    pub fn hit(&self, package: &PackageKey, mut hit: impl FnMut(&str) -> bool) -> Bitmap {
        let hits: Vec<&Bitmap> = self
            .versions(package)
            .filter(|(version, _)| hit(version))
            .map(|(_, set)| set)
            .collect();
        Bitmap::fast_or(&hits)
    }

    /// How much the index holds.
    pub fn stats(&self) -> IndexStats {
        let mut stats = IndexStats {
            images: self.images.len() as u64,
            packages: self.packages.len() as u64,
            ..IndexStats::default()
        };
        for slot in self.packages.values().flat_map(BTreeMap::values) {
            let images = &self.slots[*slot as usize].images;
            stats.versions += 1;
            stats.pairs += images.cardinality();
            stats.bitmap_bytes += images.get_serialized_size_in_bytes::<Portable>() as u64;
        }
        stats
    }

    /// The place of a package version, made if it has none yet.
    fn slot_of(&mut self, package: &Package) -> u32 {
        if let Some(slot) = self.by_package.get(package) {
            return *slot;
        }
        let package = Arc::new(package.clone());
        let fresh = Slot {
            package: Arc::clone(&package),
            images: Bitmap::new(),
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = fresh;
            slot
        } else {
            self.slots.push(fresh);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 versions fit into memory")
        };
        let versions = self.packages.entry(package.key.clone()).or_default();
        versions.insert(package.version.clone(), slot);
        self.by_package.insert(package, slot);
        slot
    }

    fn slot_mut(&mut self, slot: u32) -> &mut Bitmap {
        &mut self.slots[slot as usize].images
    }

    /// Takes an image out of a place, and the place out of the index when it was the last.
    fn leave(&mut self, slot: u32, image: u32) {
        let place = &mut self.slots[slot as usize];
        place.images.remove(image);
        if !place.images.is_empty() {
            return;
        }
        self.by_package.remove(&place.package);
        if let Some(versions) = self.packages.get_mut(&place.package.key) {
            versions.remove(&place.package.version);
            if versions.is_empty() {
                self.packages.remove(&place.package.key);
            }
        }
        self.free.push(slot);
    }
}

/// What is in `of` and not in `other`; both sorted.
fn absent<'a>(of: &'a [u32], other: &'a [u32]) -> impl Iterator<Item = u32> + use<'a> {
    of.iter()
        .copied()
        .filter(|slot| other.binary_search(slot).is_err())
}
