//! `segue`: the CLI, and as `segue server` the control plane.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main_with(std::env::args_os())
}
