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
    /// The folder of `segue` and `segue-delegate`, when they are to be the programs that people install.
    installed: Option<PathBuf>,
}

impl Programs {
    /// Programs played by this `segue-sandbox` executable.
    pub fn of(sandbox: impl Into<PathBuf>) -> Self {
        Self { sandbox: sandbox.into(), installed: None }
    }

    /// Programs played by the running executable.
    ///
    /// # Errors
    /// When the system can't tell which file runs.
    pub fn own() -> std::io::Result<Self> {
        Ok(Self::of(std::env::current_exe()?))
    }

    /// The programs that people install, from this folder, instead of the roles that `segue-sandbox` plays.
    #[must_use]
    pub fn installed_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.installed = Some(folder.into());
        self
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.sandbox
    }

    /// `segue-sandbox aws`.
    pub fn aws(&self) -> Command {
        Self::command(&self.sandbox, &["aws"])
    }

    /// The CLI and, as `segue server`, the control plane.
    pub fn segue(&self) -> Command {
        self.role("segue")
    }

    /// The delegate.
    pub fn delegate(&self) -> Command {
        self.role("segue-delegate")
    }

    fn role(&self, name: &str) -> Command {
        match &self.installed {
            Some(folder) => Self::command(&folder.join(name), &[]),
            None => Self::command(&self.sandbox, &["as", name]),
        }
    }

    fn command(program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
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
