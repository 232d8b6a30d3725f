//! The caller of a request, as the verified token says.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jobengine_domain::caller::Scope;

use jobengine_store::secret::InstallationSecret;

use crate::page::Pages;
use crate::problem::{Code, Problem};

/// Who acts, for which tenant. Only the route table makes one, after the token was verified and its
/// scope compared with the operation's; a handler without it acts for nobody.
#[derive(Debug, Clone)]
pub struct Caller {
    caller: Arc<jobengine_domain::caller::Caller>,
    secret: InstallationSecret,
}

impl Caller {
    pub(crate) fn new(
        caller: Arc<jobengine_domain::caller::Caller>,
        secret: InstallationSecret,
    ) -> Self {
        Self { caller, secret }
    }

    /// Makes and reads this tenant's continuation tokens.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages {
            secret: &self.secret,
            tenant: self.tenant,
        }
    }

    /// Refuses a token without this scope.
    ///
    /// # Errors
    /// `SCOPE_MISSING`.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        Err(Problem::new(
            Code::ScopeMissing,
            format!("the token needs the scope {scope}"),
        ))
    }
}

impl Deref for Caller {
    type Target = jobengine_domain::caller::Caller;

    fn deref(&self) -> &Self::Target {
        &self.caller
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Absent only on a route that was declared public but asks for a caller: refuse.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::new(Code::Unauthenticated, "send a valid bearer token"))
    }
}
