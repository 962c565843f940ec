//! The program: arguments in, a command run, an exit status out.

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;
use domain::error::{Error, ErrorCode};

use crate::{args::Arguments, commands, exit, render};

/// Runs `segue` with these arguments, the program's name first.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    runtime::tls::install_provider();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors: clap knows where each goes.
            let _ = error.print();
            return exit::code(if error.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::new(ErrorCode::Internal, format!("no threads can be had: {error}"))),
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(status) => exit::code(status),
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    eprint!("{}", render::error(error));
    exit::code(exit::of_code(error.code))
}
