//! `segue-delegate`: the process that performs deployments where it runs.

use delegate::{program, settings::Settings};

fn main() -> anyhow::Result<()> {
    Ok(program::serve(Settings::of_process())?)
}
