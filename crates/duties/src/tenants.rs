//! One pass over the tenants that have work due.

use std::future::Future;

use jobengine_domain::id::TenantId;
use jobengine_store::StoreError;

use crate::driver::Report;

/// Does the work of each tenant in turn. What fails for one tenant is its own: it is logged, and the
/// others have their turn all the same.
///
/// # Errors
/// [`StoreError::Unavailable`] and [`StoreError::Busy`] at once; the last failure when no tenant's work succeeded.
pub(crate) async fn each<F>(
    duty: &'static str,
    tenants: Vec<TenantId>,
    work: impl Fn(TenantId) -> F,
) -> Result<Report, StoreError>
where
    F: Future<Output = Result<Report, StoreError>>,
{
    let mut all = Report::default();
    let (mut succeeded, mut failure) = (tenants.is_empty(), None);
    for tenant in tenants {
        match work(tenant).await {
            Ok(report) => {
                succeeded = true;
                all.done += report.done;
                all.more |= report.more;
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::Busy(_))) => return Err(error),
            Err(error @ StoreError::Conflict(_)) => {
                // Somebody holds a lock of this tenant's: the next pass comes soon.
                tracing::debug!(duty, tenant = %tenant, %error, "duty {duty} met somebody at a tenant");
                failure = Some(error);
            }
            Err(error) => {
                tracing::warn!(duty, tenant = %tenant, %error, "duty {duty} failed for a tenant; trying again later");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if !succeeded => Err(error),
        Some(_) | None => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// Tenant 13's rows are damaged, and at tenant 14 PostgreSQL goes away.
    async fn work(tenant: TenantId) -> Result<Report, StoreError> {
        match tenant.0.as_u128() {
            13 => Err(StoreError::Corrupt { place: "a row" }),
            14 => Err(StoreError::Unavailable("planned".into())),
            number => Ok(Report {
                done: usize::try_from(number).unwrap_or(0),
                more: number > 2,
            }),
        }
    }

    async fn check(tenants: &[u128], expected: Option<(usize, bool)>) {
        let tenants = tenants
            .iter()
            .map(|tenant| TenantId(Uuid::from_u128(*tenant)));
        let report = each("test", tenants.collect(), work).await;
        let found = report.ok().map(|report| (report.done, report.more));
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn a_failure_of_one_tenant_is_not_the_others() {
        check(&[], Some((0, false))).await;
        check(&[1, 2], Some((3, false))).await;
        check(&[1, 13, 3], Some((4, true))).await;
        check(&[13], None).await;
        check(&[1, 14, 2], None).await;
    }
}
