//! The first context: what the CLI needs to reach this server as its first administrator, in a file that only its owner can read.

use std::{io, path::Path};

use runtime::files::write_secret;
use secrecy::{ExposeSecret, SecretString};

/// Writes the file: server, token and authorities, as YAML.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(path: &Path, server: &str, token: &SecretString, authorities_pem: &str) -> io::Result<()> {
    let authorities: String = authorities_pem.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("server: {server}\ntoken: {}\nauthorities: |\n{authorities}", token.expose_secret());
    write_secret(path, text.as_bytes())
}
