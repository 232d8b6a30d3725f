//! The impact index of each tenant, in memory: rebuilt from the ledger, kept current by the stream.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::TenantId;
use jobengine_impact::index::ImpactIndex;
use jobengine_impact::package::Package;
use tokio::sync::RwLock;
use tokio_postgres::Row;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::image::number;
use crate::job::digest;

/// Images read per statement while an index is built: bounds the memory of one answer.
const LOAD_IMAGES: u16 = 2_000;

/// The indexes of all tenants. A replica keeps those of the tenants it is asked about.
#[derive(Debug, Default)]
pub struct ImpactIndexes {
    tenants: Mutex<BTreeMap<TenantId, Arc<RwLock<TenantIndex>>>>,
}

/// One tenant's index.
#[derive(Debug, Default)]
pub struct TenantIndex {
    /// Package → versions → images.
    pub index: ImpactIndex,
    /// An image's number → its digest.
    pub digests: BTreeMap<u32, Digest>,
    /// Every change before this transaction is in; `None` before the first build.
    horizon: Option<String>,
}

impl ImpactIndexes {
    /// A tenant's index with every change in it that was committed when this was called (but for
    /// those of transactions that began earlier and are still open).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn current(
        &self,
        store: &Store,
        caller: &Caller,
    ) -> Result<Arc<RwLock<TenantIndex>>, StoreError> {
        let tenant = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(tenants.entry(caller.tenant).or_default())
        };
        {
            let mut index = tenant.write().await;
            let tx = store.begin(caller).await?;
            index.refresh(&tx).await?;
            tx.commit().await?;
        }
        Ok(tenant)
    }
}

impl TenantIndex {
    /// Digests of a set of images, sorted.
    pub fn digests_of(&self, images: impl IntoIterator<Item = u32>) -> BTreeSet<Digest> {
        images
            .into_iter()
            .filter_map(|image| self.digests.get(&image).copied())
            .collect()
    }

    async fn refresh(&mut self, tx: &Tx) -> Result<(), StoreError> {
        // Read before the rows: what commits meanwhile is read twice, never missed.
        let row = tx
            .query_one(include_str!("impact_index/horizon.sql"), &[])
            .await?;
        let horizon: String = row.get("txid");
        match &self.horizon {
            None => {
                let mut last = -1_i64;
                loop {
                    let rows = tx
                        .query(
                            include_str!("impact_index/load.sql"),
                            &[&last, &i64::from(LOAD_IMAGES)],
                        )
                        .await?;
                    let Some(end) = rows.last() else { break };
                    last = end.get("image_no");
                    self.put(tx, &rows).await?;
                }
            }
            Some(from) => {
                let rows = tx
                    .query(include_str!("impact_index/changed.sql"), &[from])
                    .await?;
                let images = rows.iter().map(|row| {
                    let image = row.get::<_, &str>("subject").parse();
                    image.map_err(|_| StoreError::Corrupt {
                        place: "change.subject",
                    })
                });
                let images: Vec<Digest> = images.collect::<Result<_, StoreError>>()?;
                for some in images.chunks(usize::from(LOAD_IMAGES)) {
                    let names: Vec<&[u8]> = some
                        .iter()
                        .map(|image| image.as_bytes().as_slice())
                        .collect();
                    let rows = tx
                        .query(include_str!("impact_index/named.sql"), &[&names])
                        .await?;
                    self.remove_absent(some, &rows)?;
                    self.put(tx, &rows).await?;
                }
            }
        }
        self.horizon = Some(horizon);
        Ok(())
    }

    /// Forgets those of some changed images that have left the fleet.
    fn remove_absent(&mut self, changed: &[Digest], standing: &[Row]) -> Result<(), StoreError> {
        let mut gone: BTreeSet<Digest> = changed.iter().copied().collect();
        for row in standing {
            gone.remove(&digest(row.get("digest"), "image.digest")?);
        }
        if gone.is_empty() {
            return Ok(());
        }
        let index = &mut self.index;
        self.digests.retain(|number, image| {
            let stays = !gone.contains(image);
            if !stays {
                index.image_remove(*number);
            }
            stays
        });
        Ok(())
    }

    async fn put(&mut self, tx: &Tx, rows: &[Row]) -> Result<(), StoreError> {
        let wanted: BTreeSet<i64> = rows
            .iter()
            .flat_map(|row| row.get::<_, Vec<i64>>("components"))
            .collect();
        let wanted: Vec<i64> = wanted.into_iter().collect();
        let parts = tx
            .query(include_str!("impact_index/packages.sql"), &[&wanted])
            .await?;
        let packages: BTreeMap<i64, Package> = parts
            .iter()
            .map(|row| {
                let key = row.get::<_, &str>("package_key").parse();
                let key = key.map_err(|_| StoreError::Corrupt {
                    place: "component.package_key",
                })?;
                Ok((
                    row.get("component_no"),
                    Package {
                        key,
                        version: row.get("version"),
                    },
                ))
            })
            .collect::<Result<_, StoreError>>()?;
        for row in rows {
            let image = number(row.get("image_no"))?;
            let components: Vec<i64> = row.get("components");
            self.index.image_set(
                image,
                components.iter().filter_map(|part| packages.get(part)),
            );
            self.digests
                .insert(image, digest(row.get("digest"), "image.digest")?);
        }
        Ok(())
    }
}
