//! Which executables the world is made of.
//!
//! `segue-sandbox` can play all roles itself (`segue-sandbox as segue ...`), so that one cargo command builds the whole
//! demonstration; each role is still a process of its own.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    sandbox: PathBuf,
}

impl Programs {
    /// Programs played by this `segue-sandbox` executable.
    pub fn of(sandbox: impl Into<PathBuf>) -> Self {
        Self { sandbox: sandbox.into() }
    }

    /// Programs played by the running executable.
    ///
    /// # Errors
    /// When the system can't tell which file runs.
    pub fn own() -> std::io::Result<Self> {
        Ok(Self::of(std::env::current_exe()?))
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.sandbox
    }

    /// `segue-sandbox aws`.
    pub fn aws(&self) -> Command {
        self.command(&["aws"])
    }

    /// The CLI and, as `segue server`, the control plane.
    pub fn segue(&self) -> Command {
        self.command(&["as", "segue"])
    }

    /// The delegate.
    pub fn delegate(&self) -> Command {
        self.command(&["as", "segue-delegate"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.sandbox);
        // A process of the world knows what it is told, never what happens to be in the caller's environment.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("AWS_") || name.starts_with("SEGUE_") {
                command.env_remove(name);
            }
        }
        command.args(arguments);
        command
    }
}
