//! Contexts: which control plane, as whom. A context is a YAML file of three members; the file of the server's first start is one.

use std::path::{Path, PathBuf};

use domain::error::{Error, ErrorCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{args::ContextArguments, error::file};

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
    /// What the arguments say: a context file, or the chosen context, with whatever is given instead of a part of it.
    ///
    /// # Errors
    /// When a file can't be read, or there is no context and not everything else is given.
    pub fn of(arguments: &ContextArguments) -> Result<Self, Error> {
        let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| file(path, &error));
        let token = arguments.token_file.as_deref().map(text).transpose()?.map(|text| SecretString::from(text.trim()));
        let authorities = arguments.authorities.as_deref().map(text).transpose()?;
        if let (Some(server), Some(token), Some(authorities)) = (&arguments.server, &token, &authorities) {
            return Ok(Self { server: server.clone(), token: token.clone(), authorities: authorities.clone() });
        }
        let path = match &arguments.context {
            Some(path) => path.clone(),
            None => chosen(None)?,
        };
        let context = Self::read(&path)?;
        Ok(Self {
            server: arguments.server.clone().unwrap_or(context.server),
            token: token.unwrap_or(context.token),
            authorities: authorities.unwrap_or(context.authorities),
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> ContextArguments {
        ContextArguments { context: None, server: None, token_file: None, authorities: None }
    }

    #[test]
    fn a_context_reads_back_as_it_was_written_and_parts_of_it_can_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("context.yaml");
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let written = Context { server: "https://a.example:7600".into(), token: "tok_1.x: y#z".into(), authorities: pem.into() };
        written.write(&path).expect("writes");
        let read = Context::read(&path).expect("reads");
        assert_eq!((read.server.as_str(), read.token.expose_secret()), ("https://a.example:7600", "tok_1.x: y#z"));
        assert_eq!(read.authorities, pem);
        assert!(!format!("{read:?}").contains("x: y#z"), "a token is not shown");

        let token_file = folder.path().join("token");
        std::fs::write(&token_file, "tok_2.other\n").expect("writes");
        let replaced = ContextArguments {
            context: Some(path.clone()),
            server: Some("https://b.example".into()),
            token_file: Some(token_file.clone()),
            ..arguments()
        };
        let replaced = Context::of(&replaced).expect("reads");
        assert_eq!((replaced.server.as_str(), replaced.token.expose_secret()), ("https://b.example", "tok_2.other"));
        assert_eq!(replaced.authorities, pem);

        let pem_file = folder.path().join("authorities.pem");
        std::fs::write(&pem_file, pem).expect("writes");
        let alone = ContextArguments {
            server: Some("https://c.example".into()),
            token_file: Some(token_file),
            authorities: Some(pem_file),
            ..arguments()
        };
        assert_eq!(Context::of(&alone).expect("needs no context").server, "https://c.example");
    }

    #[test]
    fn what_is_no_context_is_told_without_its_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("context.yaml");
        std::fs::write(&path, "server: https://a.example\ntoken: [tok_secret\n").expect("writes");
        let error = Context::read(&path).expect_err("is none");
        assert_eq!(error.code, ErrorCode::Invalid);
        assert!(error.message.contains("context.yaml:") && !error.message.contains("tok_secret"), "{error}");
    }

    #[test]
    fn a_name_can_not_lead_elsewhere() {
        for name in ["", "../x", "a/b", "a.b", &"a".repeat(64)] {
            assert!(named(name).is_err(), "{name}");
        }
    }
}
