//! Segue's own figures, each beside its bound: dispatch latency (P1), a workflow of six steps that do nothing, one after another
//! and 100 at once (P2), 2,000 delegates before and after a restart (P4, P5), 100 blue/green deployments at once within AWS's limits
//! (P9), and the footprint (P10). Real processes, real sockets, sled on disk with every change flushed and synced.
//!
//! `./tests/run --bench`. Quote medians and ratios; an absolute time belongs to one machine.

mod at_once;
mod dispatch;
mod fake_aws;
mod footprint;
mod sessions;
mod table;
mod workflow;

use sandbox::world::{World, WorldSettings};
use tests::programs::programs;

fn main() -> anyhow::Result<()> {
    // What cargo hands to every benchmark and test.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        println!("figures: benchmark");
        return Ok(());
    }
    runtime::tls::install_provider();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(all())
}

async fn all() -> anyhow::Result<()> {
    // `figures at-once`: this one alone.
    if std::env::args().any(|argument| argument == "at-once") {
        table::print(&at_once::measure().await?);
        return Ok(());
    }
    let sandbox = programs();
    let folder = sandbox.path().parent().expect("an executable is in a folder").to_owned();
    let aws = fake_aws::FakeAws::start().await?;
    let settings = WorldSettings { delegates: 1, foreign_aws: Some(aws.endpoint()), ..WorldSettings::default() };
    let mut world = World::start(sandbox.installed_in(&folder), settings).await?;
    let client = cli::client::Client::new(&cli::context::Context::read(&world.context_file())?)?;

    let mut rows = Vec::new();
    rows.extend(footprint::measure(&mut world, &folder).await?);
    rows.extend(dispatch::measure(&client, &aws).await?);
    rows.extend(workflow::measure(&world, &client).await?);
    rows.extend(sessions::measure(&mut world, &client, &aws).await?);
    world.stop().await?;
    rows.extend(at_once::measure().await?);
    table::print(&rows);
    Ok(())
}
