//! The program: arguments in, a command run, an exit status out.

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;
use domain::error::{Error, ErrorCode};

use crate::{
    args::Arguments,
    commands, exit,
    render::{self, Screen},
};

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
    let mut screen = Screen::of_process();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&mut screen, &Error::new(ErrorCode::Internal, format!("no threads can be had: {error}"))),
    };
    match runtime.block_on(commands::run(arguments, &mut screen)) {
        Ok(status) => exit::code(status),
        Err(error) => fail(&mut screen, &error),
    }
}

fn fail(screen: &mut Screen, error: &Error) -> ExitCode {
    let text = render::error(error, screen.err_look);
    screen.note(&text);
    exit::code(exit::of_code(error.code))
}
