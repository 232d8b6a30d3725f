//! The settings PostgreSQL is started with. They stand on its command line, where neither `postgresql.conf` nor
//! `ALTER SYSTEM` of an earlier run can change them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::Options;
use super::error::EmbeddedError;
use super::layout::PORT;

/// The `-c name=value` arguments: ours, then the caller's, then those that keep the server private, which nothing
/// overrides (the last one wins).
///
/// # Errors
/// [`EmbeddedError::BadSetting`].
pub(super) fn arguments(
    options: &Options,
    socket_dir: &Path,
) -> Result<Vec<OsString>, EmbeddedError> {
    let durable = if options.fsync { "on" } else { "off" };
    let max_connections = options.max_connections.to_string();
    let shared_buffers = format!("{}MB", options.shared_buffers_mb);
    let tuned = [
        ("max_connections", max_connections.as_str()),
        ("shared_buffers", &shared_buffers),
        ("max_wal_size", "2GB"),
        ("synchronous_commit", "on"),
        ("autovacuum", "on"),
        // Our statements are short; compiling them costs more than it saves.
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_min_messages", "warning"),
        // Details quote rows, and rows are the tenants' own.
        ("log_error_verbosity", "terse"),
        ("log_line_prefix", "%m [%p] "),
        ("log_checkpoints", "off"),
    ];
    let port = PORT.to_string();
    let guarded = [
        ("fsync", durable),
        ("full_page_writes", durable),
        ("listen_addresses", ""),
        ("port", &port),
        ("unix_socket_permissions", "0700"),
        ("unix_socket_group", ""),
        ("log_destination", "stderr"),
        ("logging_collector", "off"),
    ];
    for name in options.settings.keys() {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(EmbeddedError::BadSetting { name: name.clone() });
        }
    }
    let extra = options
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut arguments: Vec<OsString> = Vec::new();
    for (name, value) in tuned.into_iter().chain(extra).chain(guarded) {
        arguments.push("-c".into());
        arguments.push(format!("{name}={value}").into());
    }
    arguments.push("-c".into());
    arguments.push(directory_list("unix_socket_directories", socket_dir));
    Ok(arguments)
}

/// A setting that is a list of directories, with one quoted entry: a path may hold commas and blanks.
fn directory_list(name: &str, dir: &Path) -> OsString {
    let mut text = OsString::from(format!("{name}=\""));
    for (index, part) in dir
        .as_os_str()
        .as_bytes()
        .split(|byte| *byte == b'"')
        .enumerate()
    {
        if index > 0 {
            text.push("\"\"");
        }
        text.push(OsStr::from_bytes(part));
    }
    text.push("\"");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(settings: &[(&str, &str)]) -> Result<Vec<String>, EmbeddedError> {
        let mut options = Options::new("/data");
        options.settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let arguments = arguments(&options, Path::new("/a, \"b\""))?;
        Ok(arguments
            .into_iter()
            .map(|text| text.into_string().unwrap())
            .filter(|text| text != "-c")
            .collect())
    }

    #[test]
    fn a_caller_may_tune_but_not_open_the_server() {
        let texts = texts(&[("jit", "on"), ("listen_addresses", "*"), ("fsync", "off")]).unwrap();
        let last = |name: &str| {
            let prefix = format!("{name}=");
            texts
                .iter()
                .rev()
                .find_map(|text| text.strip_prefix(&prefix))
                .map(str::to_owned)
        };
        assert_eq!(last("jit").as_deref(), Some("on"));
        assert_eq!(last("listen_addresses").as_deref(), Some(""));
        assert_eq!(last("fsync").as_deref(), Some("on"));
        assert_eq!(
            last("unix_socket_directories").as_deref(),
            Some("\"/a, \"\"b\"\"\"")
        );
    }

    #[test]
    fn a_setting_name_cannot_carry_an_argument() {
        for name in ["", "a=b", "a b", "-D"] {
            assert!(
                matches!(texts(&[(name, "x")]), Err(EmbeddedError::BadSetting { .. })),
                "{name:?}"
            );
        }
    }
}
