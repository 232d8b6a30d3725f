//! Service API keys, without their secrets.

use std::collections::BTreeSet;

use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ApiKeyId, ProjectId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::ts::Ts;

/// How a key is checked when it is shown: HMAC-SHA256 of the whole key.
pub type ApiKeyMac = [u8; 32];

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The service it is for: `[a-z0-9][a-z0-9._-]*`, 64 characters at most.
    pub name: String,
    /// The project it is bound to, if it is.
    pub project: Option<ProjectId>,
    /// What it allows; never `orch:quota` together with `orch:worker`.
    pub scopes: BTreeSet<Scope>,
    /// How it is checked.
    pub mac: ApiKeyMac,
    /// Its end, within 366 days.
    pub expires_at: Timestamp,
}

/// A key as it is known afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: ApiKeyId,
    /// The service it is for.
    pub name: String,
    /// The project it is bound to, if it is.
    pub project: Option<ProjectId>,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
    /// When it was used, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Tx {
    /// Makes a key.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the project does not exist.
    pub async fn api_key_put(&self, key: &NewApiKey) -> Result<ApiKeyRecord, StoreError> {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        self.execute(
            include_str!("api_key/put.sql"),
            &[
                &self.tenant().0,
                &key.id.0,
                &key.name,
                &key.project.map(|project| project.0),
                &scopes,
                &key.mac.as_slice(),
                &self.subject(),
                &Ts(self.now()),
                &Ts(key.expires_at),
            ],
        )
        .await
        .map_err(no_project)?;
        Ok(ApiKeyRecord {
            id: key.id,
            name: key.name.clone(),
            project: key.project,
            scopes: key.scopes.clone(),
            created_by: self.subject().to_owned(),
            created_at: self.now(),
            expires_at: key.expires_at,
            last_used_at: None,
            revoked_at: None,
        })
    }

    /// A key, and how it is checked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key_find(
        &self,
        id: ApiKeyId,
    ) -> Result<Option<(ApiKeyRecord, ApiKeyMac)>, StoreError> {
        let row = self
            .query_opt(include_str!("api_key/find.sql"), &[&id.0])
            .await?;
        let found = |row: &Row| {
            let mac = row.get::<_, &[u8]>("mac").try_into();
            let mac = mac.map_err(|_| StoreError::Corrupt {
                place: "api_key.mac",
            })?;
            Ok((record(row)?, mac))
        };
        row.as_ref().map(found).transpose()
    }

    /// A page of the tenant's keys after one of them, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys_page(
        &self,
        after: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = self
            .query(
                include_str!("api_key/page.sql"),
                &[&after, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(record).collect()
    }

    /// How many keys of the tenant can be used now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys_live(&self) -> Result<u64, StoreError> {
        let row = self
            .query_one(include_str!("api_key/live.sql"), &[&Ts(self.now())])
            .await?;
        Ok(row.get::<_, i64>("live").unsigned_abs())
    }

    /// Ends a key; a key that has ended keeps its first end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key_revoke(&self, id: ApiKeyId) -> Result<(), StoreError> {
        self.execute(
            include_str!("api_key/revoke.sql"),
            &[&id.0, &Ts(self.now())],
        )
        .await?;
        Ok(())
    }

    /// Ends the keys of a service that were made up to a moment; returns how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys_revoke_service(
        &self,
        name: &str,
        made_until: Timestamp,
    ) -> Result<u64, StoreError> {
        self.execute(
            include_str!("api_key/revoke_service.sql"),
            &[&name, &Ts(self.now()), &Ts(made_until)],
        )
        .await
    }

    /// Notes that a key is in use, at most once an hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key_touch(&self, id: ApiKeyId) -> Result<(), StoreError> {
        self.execute(include_str!("api_key/touch.sql"), &[&id.0, &Ts(self.now())])
            .await?;
        Ok(())
    }
}

/// A key refers to its tenant, without which there is no transaction, and to its project.
fn no_project(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(error)
            if error
                .as_db_error()
                .is_some_and(|error| error.constraint() == Some("api_key_project")) =>
        {
            StoreError::Missing("the project")
        }
        other => other,
    }
}

fn record(row: &Row) -> Result<ApiKeyRecord, StoreError> {
    let at = |column: &str| row.get::<_, Option<Ts>>(column).map(|Ts(at)| at);
    let scopes = row.get::<_, Vec<&str>>("scopes").into_iter();
    let scopes: Result<BTreeSet<Scope>, _> = scopes.map(str::parse).collect();
    Ok(ApiKeyRecord {
        id: ApiKeyId(row.get("key_id")),
        name: row.get("name"),
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        scopes: scopes.map_err(|_| StoreError::Corrupt {
            place: "api_key.scopes",
        })?,
        created_by: row.get("created_by"),
        created_at: row.get::<_, Ts>("created_at").0,
        expires_at: row.get::<_, Ts>("expires_at").0,
        last_used_at: at("last_used_at"),
        revoked_at: at("revoked_at"),
    })
}
