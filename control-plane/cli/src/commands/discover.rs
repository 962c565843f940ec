//! `segue discover`.

use std::time::Duration;

use domain::error::Error;
use proto::{api, convert::document::from_json};
use serde::Serialize;

use crate::{
    args::DiscoverCommand,
    client::Client,
    error::unreadable,
    render::{self, Screen},
};

/// How long an answer may take: a delegate reads many pages of AWS's.
const LOOKING: Duration = Duration::from_secs(75);

#[derive(Serialize)]
struct Discovered {
    delegate: String,
    #[serde(flatten)]
    answer: domain::discovery::Answer,
}

pub(super) async fn run(client: &Client, screen: &mut Screen, command: DiscoverCommand) -> Result<u8, Error> {
    let DiscoverCommand::LoadBalancers { infrastructure, application, vpc, name, output } = command;
    let request = api::DiscoveryRequest {
        application: client.application(application).await?,
        infrastructure,
        subject: "loadBalancers".to_owned(),
        name_contains: name.unwrap_or_default(),
        vpc: vpc.unwrap_or_default(),
    };
    let mut discovery = client.discovery();
    let answered = client.call_within(LOOKING, discovery.query(request)).await?;
    let answer = from_json("answer_json", &answered.answer_json).map_err(|malformed| unreadable(&malformed))?;
    let discovered = Discovered { delegate: answered.delegate_name, answer };
    render::print(screen, output, &discovered, |_| render::load_balancers(&discovered.answer, &discovered.delegate))?;
    Ok(0)
}
