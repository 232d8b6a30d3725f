//! How commands print: for people or for programs.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use jobengine_sdk::Error;

/// For people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// Columns, and a line under their names: no boxes.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// An empty table in the house's style.
pub(crate) fn table() -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// A table as text, without the blanks that fill its last column.
pub(crate) fn draw(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// When the text cannot be written for another reason.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// What became of an answer that was written to standard output as it came, as [`print()`] has it.
///
/// # Errors
/// What the call failed with.
pub(crate) fn unless_shut(written: Result<u64, Error>) -> Result<(), Error> {
    match written {
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map(drop),
    }
}

/// Writes a line to standard output, as [`print()`] does.
///
/// # Errors
/// As [`print()`].
pub(crate) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    print(&format!("{text}\n"))
}
