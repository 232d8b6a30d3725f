//! `/api/v1/scheduler`: inventory, change streams, impact runs, findings.

mod advisory;
mod bounds;
mod cursor;
mod debt;
mod finding;
mod hit;
mod image;
mod kev;
mod key;
mod name;
mod preview;
mod records;
mod refusal;
mod run;
mod sbom;
mod segment;
mod state;
mod unpack;
mod upload;
mod vex;

use std::time::Duration;

use crate::route::Routes;

pub(crate) use state::SchedulerState;

/// An operation that takes or gives a whole document has so long, its transfer included.
const INTAKE_MAX: Duration = Duration::from_mins(4);

/// The operations below `/api/v1/scheduler`.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .merge(sbom::routes())
        .merge(advisory::routes())
        .merge(kev::routes())
        .merge(vex::routes())
        .merge(image::routes())
        .merge(finding::routes())
        .merge(preview::routes())
        .merge(refusal::routes())
        .merge(run::routes())
        .merge(debt::routes())
        .merge(segment::routes())
        .merge(key::routes())
        .merge(cursor::routes())
}
