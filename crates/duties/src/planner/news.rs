//! What a page of the change stream means, folded: how things stood before it, and how after.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_impact::advisory::Advisory;
use jobengine_impact::kev::KevCatalogue;
use jobengine_store::{Change, ChangeKind, StoreError, Tx};

/// Everything that changed, and what must be looked at because of it.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Images that are new, or made of something else now.
    pub images: BTreeSet<Digest>,
    /// The advisories that changed, as they stood before.
    pub before: Vec<Advisory>,
    /// The same as they stand after; those that only the catalogue touches are in both.
    pub after: Vec<Advisory>,
    /// The catalogue before.
    pub kev_before: KevCatalogue,
    /// The catalogue after.
    pub kev_after: KevCatalogue,
    /// Advisories about flaws of which VEX documents say something else now.
    pub restated: Vec<Advisory>,
}

/// First state before and last state after, of each thing that changed.
type Folded<K> = BTreeMap<K, (Option<Digest>, Option<Digest>)>;

impl News {
    pub(super) async fn gather(tx: &Tx, changes: &[Change]) -> Result<Self, StoreError> {
        let mut news = Self::default();
        let mut advisories: Folded<(Option<SourceId>, &str)> = Folded::new();
        let mut statements: Folded<(Option<SourceId>, &str)> = Folded::new();
        let mut catalogue: Folded<()> = Folded::new();
        for change in changes {
            let key = (change.source, change.subject.as_str());
            match change.kind {
                ChangeKind::Image => {
                    let image = change.subject.parse();
                    let image = image.map_err(|_| StoreError::Corrupt {
                        place: "change.subject",
                    })?;
                    // One that has left the fleet is not looked at, unless it comes back later on.
                    match change.after {
                        Some(_) => news.images.insert(image),
                        None => news.images.remove(&image),
                    };
                }
                ChangeKind::Advisory => fold(&mut advisories, key, change),
                ChangeKind::Vex => fold(&mut statements, key, change),
                ChangeKind::Kev => fold(&mut catalogue, (), change),
            }
        }
        let differing = advisories
            .values()
            .filter(|(before, after)| before != after);
        let (before, after): (Vec<_>, Vec<_>) = differing.copied().unzip();
        let after: BTreeSet<Digest> = after.into_iter().flatten().collect();
        news.before = load(tx, before.into_iter().flatten()).await?;
        news.after = load(tx, after.iter().copied()).await?;
        news.read_catalogue(tx, catalogue.remove(&()), &after)
            .await?;
        news.read_statements(tx, statements).await?;
        Ok(news)
    }

    async fn read_catalogue(
        &mut self,
        tx: &Tx,
        change: Option<(Option<Digest>, Option<Digest>)>,
        loaded: &BTreeSet<Digest>,
    ) -> Result<(), StoreError> {
        let Some((before, after)) = change else {
            self.kev_after = tx.kev_get(tx.kev_digest().await?).await?;
            self.kev_before = self.kev_after.clone();
            return Ok(());
        };
        self.kev_before = tx.kev_get(before).await?;
        self.kev_after = tx.kev_get(after).await?;
        let (old, new) = (&self.kev_before.entries, &self.kev_after.entries);
        let touched: BTreeSet<String> = old
            .keys()
            .filter(|cve| !new.contains_key(*cve))
            .chain(new.keys().filter(|cve| !old.contains_key(*cve)))
            .cloned()
            .collect();
        for (digest, advisory) in tx.advisories_by_flaw(&touched).await? {
            if !loaded.contains(&digest) {
                self.before.push(advisory.clone());
                self.after.push(advisory);
            }
        }
        Ok(())
    }

    async fn read_statements(
        &mut self,
        tx: &Tx,
        changed: Folded<(Option<SourceId>, &str)>,
    ) -> Result<(), StoreError> {
        let versions: Vec<Digest> = changed
            .into_values()
            .flat_map(|(before, after)| [before, after])
            .flatten()
            .collect();
        let statements = tx.vex_get(&versions).await?;
        let flaws: BTreeSet<String> = statements
            .into_iter()
            .flat_map(|said| said.vulnerabilities)
            .collect();
        if !flaws.is_empty() {
            self.restated = tx.advisories_by_flaw(&flaws).await?.into_values().collect();
        }
        Ok(())
    }
}

fn fold<K: Ord>(folded: &mut Folded<K>, key: K, change: &Change) {
    folded.entry(key).or_insert((change.before, None)).1 = change.after;
}

async fn load(tx: &Tx, digests: impl Iterator<Item = Digest>) -> Result<Vec<Advisory>, StoreError> {
    let digests: Vec<Digest> = digests.collect();
    let found = tx.advisories_get(&digests).await?;
    // Two sources may carry the same record: it then counts for both.
    digests
        .iter()
        .map(|digest| {
            found.get(digest).cloned().ok_or(StoreError::Corrupt {
                place: "change.after",
            })
        })
        .collect()
}
