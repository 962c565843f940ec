//! `segue completion`.

use clap::CommandFactory as _;
use domain::error::Error;

use crate::args::Arguments;

pub(super) fn run(shell: clap_complete::Shell) -> Result<u8, Error> {
    clap_complete::generate(shell, &mut Arguments::command(), "segue", &mut std::io::stdout());
    Ok(0)
}
