//! What an operation declares about itself, beside path, text and types.

use jobengine_domain::caller::Scope;
use serde_json::Value;
use utoipa::openapi::path::Operation;

use super::deprecated::Deprecated;

/// The scope of an operation that needs no token.
const PUBLIC: &str = "public";

/// What an operation declares in the extensions of its `#[utoipa::path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    /// `x-scope`: what it asks of its caller.
    pub needs: Needs,
    /// `x-effect`: what it changes.
    pub effect: Effect,
    /// `x-reason`: whether the caller must say why, also where the scope does not ask.
    pub reason: bool,
    /// `x-deprecated`: until when it is there, and what replaces it.
    pub deprecated: Option<Deprecated>,
}

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// A credential with this scope.
    Token(Scope),
}

/// What an operation changes, and why a repeat of it is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// `none`: nothing; every GET, and a POST that only asks.
    None,
    /// `audited`: it leaves an audit row, and a repeat under the same key is answered from the record.
    Audited,
    /// `granted`: a worker speaks under its lease; the fence makes a repeat harmless.
    Granted,
}

impl Declaration {
    /// Reads what stands at an operation.
    ///
    /// # Errors
    /// What is wrong with it, for the panic of the route table.
    pub(super) fn read(path: &str, method: &str, operation: &Operation) -> Result<Self, String> {
        let get = |name: &str| operation.extensions.as_ref()?.get(name);
        let effect = match (get("x-effect").map(|value| value.as_str()), method) {
            (None, "get") | (Some(Some("none")), "post") => Effect::None,
            (Some(Some("audited")), _) if method != "get" => Effect::Audited,
            (Some(Some("granted")), _) if method != "get" => Effect::Granted,
            (None, _) => return Err("declares no x-effect".to_owned()),
            (Some(other), _) => return Err(format!("declares a bad x-effect: {other:?}")),
        };
        Ok(Self {
            needs: needs(get("x-scope"))?,
            effect,
            reason: get("x-reason").is_some_and(|value| value.as_bool() == Some(true)),
            deprecated: get("x-deprecated")
                .map(|declared| Deprecated::read(path, declared))
                .transpose()?,
        })
    }

    /// Whether a repeat could start work twice, so that a key is needed.
    pub(super) fn needs_key(&self) -> bool {
        self.effect == Effect::Audited && self.needs == Needs::Token(Scope::Submit)
    }

    /// Whether the caller must say why.
    pub(super) fn needs_reason(&self) -> bool {
        self.reason || self.needs_ticket()
    }

    /// Whether the caller must name a ticket.
    pub(super) fn needs_ticket(&self) -> bool {
        matches!(self.needs, Needs::Token(scope) if scope.needs_ticket())
    }
}

fn needs(scope: Option<&Value>) -> Result<Needs, String> {
    match scope.map(Value::as_str) {
        None => Err("declares no x-scope".to_owned()),
        Some(Some(PUBLIC)) => Ok(Needs::Nothing),
        Some(Some(scope)) => scope
            .parse()
            .map(Needs::Token)
            .map_err(|error| format!("declares a bad x-scope: {error}")),
        Some(None) => Err("declares an x-scope that is not a text".to_owned()),
    }
}
