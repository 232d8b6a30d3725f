//! Whether a version lies in what an advisory affects.
