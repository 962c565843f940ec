//! `segue-delegate`: the process that performs deployments where it runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    delegate::main_with(std::env::args_os())
}
