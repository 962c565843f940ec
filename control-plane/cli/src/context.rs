//! Contexts: which control plane, as whom. A context is a YAML file of three members; the file of the server's first start is one.

use std::path::{Path, PathBuf};

use domain::error::{Error, ErrorCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::file;

/// A context.
#[derive(Debug, Clone)]
pub struct Context {
    /// `https://host:port`.
    pub server: String,
    /// Bearer token; empty: none is sent.
    pub token: SecretString,
    /// Certificates to trust, PEM.
    pub authorities: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContextFile {
    server: String,
    #[serde(default)]
    token: Option<String>,
    authorities: String,
}

impl Context {
    /// Reads a context file.
    ///
    /// # Errors
    /// When it can't be read or is not one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            file(path, &error).hint("`segue server` writes a context file at its first start; point SEGUE_CONTEXT at it.")
        })?;
        let parsed: ContextFile = serde_saphyr::from_str(&text).map_err(|error| {
            // The snippet that the error would draw shows the token's line.
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
            Error::new(ErrorCode::Invalid, format!("{}{place}: not a context (server, token, authorities)", path.display()))
        })?;
        Ok(Self { server: parsed.server, token: parsed.token.unwrap_or_default().into(), authorities: parsed.authorities })
    }

    /// Writes a context file that only its owner can read.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let file_form = ContextFile {
            server: self.server.clone(),
            token: Some(self.token.expose_secret().to_owned()),
            authorities: self.authorities.clone(),
        };
        let text = serde_saphyr::to_string(&file_form)
            .map_err(|_| Error::new(ErrorCode::Internal, "the context can't be written as YAML"))?;
        runtime::files::write_secret(path, text.as_bytes()).map_err(|error| file(path, &error))
    }
}

/// The folder of named contexts: `$SEGUE_CONFIG_DIR`, else `$XDG_CONFIG_HOME/segue`, else `~/.config/segue`.
///
/// # Errors
/// When none of them is set.
pub fn folder() -> Result<PathBuf, Error> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("SEGUE_CONFIG_DIR")
        .or_else(|| set("XDG_CONFIG_HOME").map(|dir| dir.join("segue")))
        .or_else(|| set("HOME").map(|home| home.join(".config").join("segue")))
        .ok_or_else(|| Error::new(ErrorCode::Invalid, "none of SEGUE_CONFIG_DIR, XDG_CONFIG_HOME and HOME is set"))
}

/// The file of a named context.
///
/// # Errors
/// When the name could lead elsewhere.
pub fn named(name: &str) -> Result<PathBuf, Error> {
    let fits = !name.is_empty() && name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !fits {
        let text = format!("{name:?} is not a name of a context: letters, digits, - and _, at most 63");
        return Err(Error::new(ErrorCode::Invalid, text));
    }
    Ok(folder()?.join("contexts").join(format!("{name}.yaml")))
}

/// The file that is used when nothing else is said: the named one, or the one that `segue context use` chose.
///
/// # Errors
/// When there is none.
pub fn chosen(name: Option<&str>) -> Result<PathBuf, Error> {
    if let Some(name) = name {
        return named(name);
    }
    let current = folder()?.join("current");
    let name = std::fs::read_to_string(&current).map_err(|_| {
        Error::new(ErrorCode::Invalid, "no context is chosen: it is not known which control plane to ask")
            .hint("Set SEGUE_CONTEXT to a context file (`segue server` names one), or: segue context add NAME --file FILE")
    })?;
    named(name.trim())
}
