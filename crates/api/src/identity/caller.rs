//! The caller of a request, as the verified token says.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ApiKeyId, ProjectId};
use jobengine_domain::time::Timestamp;
use jobengine_store::secret::InstallationSecret;

use super::claims::Claims;
use crate::page::Pages;
use crate::problem::{Code, Problem};

/// Who acts, for which tenant. Only the route table makes one, after the credential was verified and
/// its scope compared with the operation's; a handler without it acts for nobody.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Arc<Who>,
    secret: InstallationSecret,
}

/// Somebody, and what made them so.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// The principal, its tenant and scopes.
    pub(super) principal: jobengine_domain::caller::Caller,
    /// What was shown.
    pub(super) shown: Credential,
}

/// What somebody showed to become a caller: enough to see later whether it still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// Which one.
    pub(crate) kind: CredentialKind,
    /// When it was issued.
    pub(crate) issued_at: Timestamp,
    /// It does not hold from then on.
    pub(crate) expires_at: Timestamp,
}

/// A token or a key, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    /// An access token.
    Token {
        /// Its `jti`.
        id: String,
    },
    /// A service API key.
    Key(ApiKeyId),
}

impl Credential {
    pub(super) fn token(claims: &Claims) -> Self {
        let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        Self {
            kind: CredentialKind::Token {
                id: claims.jti.clone(),
            },
            issued_at: at(claims.iat),
            expires_at: at(claims.window().end),
        }
    }
}

impl Caller {
    pub(super) fn new(who: Arc<Who>, secret: InstallationSecret) -> Self {
        Self { who, secret }
    }

    /// What made it a caller.
    pub(crate) fn shown(&self) -> &Credential {
        &self.who.shown
    }

    pub(super) const fn who(&self) -> &Arc<Who> {
        &self.who
    }

    /// The same caller, bound to a project of its tenant.
    #[must_use]
    pub(crate) fn within(&self, project: ProjectId) -> Self {
        let mut who = (*self.who).clone();
        who.principal.project = Some(project);
        Self::new(Arc::new(who), self.secret.clone())
    }

    /// Makes and reads this tenant's continuation tokens.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages {
            secret: &self.secret,
            tenant: self.tenant,
        }
    }

    /// Refuses whoever is bound to a project, for what is the whole tenant's.
    ///
    /// # Errors
    /// `PROJECT_MISMATCH`.
    pub(crate) fn require_whole_tenant(&self) -> Result<(), Problem> {
        match self.project {
            None => Ok(()),
            Some(_) => Err(Problem::new(
                Code::ProjectMismatch,
                "this is about the whole tenant: use a token that is not bound to a project",
            )),
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
        &self.who.principal
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
