//! Projects: divisions inside a tenant.

use jobengine_domain::id::ProjectId;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::ts::Ts;

/// A project.
#[derive(Debug, Clone)]
pub struct ProjectRecord {
    /// Its id.
    pub id: ProjectId,
    /// What people call it; no two projects of a tenant share it.
    pub name: String,
    /// For people.
    pub description: String,
    /// Rises with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Tx {
    /// Reads a page of projects after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn project_list(
        &self,
        after: Option<ProjectId>,
        limit: u32,
    ) -> Result<Vec<ProjectRecord>, StoreError> {
        self.projects(after, limit, None).await
    }

    /// Reads one project; `None` when this tenant has none of that id, or the caller is bound to another.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn project_find(&self, id: ProjectId) -> Result<Option<ProjectRecord>, StoreError> {
        Ok(self.projects(None, 1, Some(id)).await?.pop())
    }

    async fn projects(
        &self,
        after: Option<ProjectId>,
        limit: u32,
        only: Option<ProjectId>,
    ) -> Result<Vec<ProjectRecord>, StoreError> {
        let params: [&(dyn ToSql + Sync); 3] = [
            &after.map_or(Uuid::nil(), |project| project.0),
            &i64::from(limit),
            &only.map(|project| project.0),
        ];
        let rows = self
            .query(include_str!("project/list.sql"), &params)
            .await?;
        Ok(rows.iter().map(project).collect())
    }

    /// Makes a project; `None` when the name is taken.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn project_create(
        &self,
        name: &str,
        description: &str,
    ) -> Result<Option<ProjectRecord>, StoreError> {
        let record = ProjectRecord {
            id: draw(self.now()),
            name: name.to_owned(),
            description: description.to_owned(),
            version: 1,
            created_at: self.now(),
        };
        let params: [&(dyn ToSql + Sync); 5] = [
            &self.tenant().0,
            &record.id.0,
            &name,
            &description,
            &Ts(self.now()),
        ];
        let made = self
            .execute(include_str!("project/insert.sql"), &params)
            .await;
        match made {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) =>
            {
                Err(StoreError::Missing("the tenant"))
            }
            other => Ok((other? == 1).then_some(record)),
        }
    }

    /// Changes what a project is called. Tells whether the name was free.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is another version by now.
    pub async fn project_update(
        &self,
        id: ProjectId,
        version: u64,
        name: &str,
        description: &str,
    ) -> Result<bool, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] = [&id.0, &version.cast_signed(), &name, &description];
        let changed = self
            .execute(include_str!("project/update.sql"), &params)
            .await;
        match changed {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::UNIQUE_VIOLATION) =>
            {
                Ok(false)
            }
            other => expect_one(other?, "the project").map(|()| true),
        }
    }

    /// Refuses when one of these projects, each named once, does not exist. Call it under the lock of the tenant's
    /// clock, which the removal of a project takes as well.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub(crate) async fn projects_check(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let row = self
            .query_one(include_str!("project/count.sql"), &[&ids])
            .await?;
        let found = row.get::<_, i64>("found").unsigned_abs();
        let all = found == ids.len() as u64;
        all.then_some(()).ok_or(StoreError::Missing("the project"))
    }

    /// Removes a project that no job and no run belongs to.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is another version by now, or something belongs to it.
    pub async fn project_delete(&self, id: ProjectId, version: u64) -> Result<(), StoreError> {
        // Waits for submits under way; later ones find the project gone.
        self.query_opt(include_str!("tenant/clock_lock.sql"), &[])
            .await?;
        let gone = self
            .execute(
                include_str!("project/delete.sql"),
                &[&id.0, &version.cast_signed()],
            )
            .await?;
        expect_one(gone, "the project")
    }
}

fn project(row: &Row) -> ProjectRecord {
    ProjectRecord {
        id: ProjectId(row.get("project_id")),
        name: row.get("name"),
        description: row.get("description"),
        version: row.get::<_, i64>("version").unsigned_abs(),
        created_at: row.get::<_, Ts>("created_at").0,
    }
}
