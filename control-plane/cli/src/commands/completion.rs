//! `segue completion`.

use clap::CommandFactory as _;
use domain::error::Error;

use crate::{args::Arguments, render::Screen};

pub(super) fn run(shell: clap_complete::Shell, screen: &mut Screen) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "segue", &mut script);
    screen.data(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
