//! Bounds of request fields: every field that breaks one is named, up to a handful.

use crate::problem::{Code, FieldError, Problem};

/// Fields named in one answer.
const ERRORS_MAX: usize = 20;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes a field unless it holds.
    pub(crate) fn hold(
        &mut self,
        holds: bool,
        field: impl FnOnce() -> String,
        code: &str,
        detail: impl Into<String>,
    ) {
        if !holds && self.0.len() < ERRORS_MAX {
            self.0.push(FieldError {
                field: field(),
                code: code.to_owned(),
                detail: detail.into(),
            });
        }
    }

    /// Notes a list that holds nothing, or more than it may.
    pub(crate) fn count(&mut self, field: &str, found: usize, most: usize) {
        self.hold(
            (1..=most).contains(&found),
            || field.to_owned(),
            "RANGE",
            format!("holds {found}; 1 to {most} are taken"),
        );
    }

    /// Notes a text that is empty, too long or not printable.
    pub(crate) fn text(&mut self, field: impl FnOnce() -> String, text: &str, most: usize) {
        let sound =
            (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let detail = format!("1 to {most} printable characters are taken");
        self.hold(sound, field, "VALUE", detail);
    }

    /// `REQUEST_INVALID` with everything that was noted.
    pub(crate) fn end(self) -> Result<(), Problem> {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        let detail = format!("{}: {}", first.field, first.detail);
        let problem = Problem::new(Code::RequestInvalid, detail);
        Err(self.0.into_iter().fold(problem, |problem, error| {
            problem.with_error(error.field, &error.code, error.detail)
        }))
    }
}
