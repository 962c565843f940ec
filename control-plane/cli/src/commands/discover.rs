//! `segue discover`.

use domain::error::Error;
use proto::{api, convert::document::from_json};
use serde::Serialize;

use crate::{args::DiscoverCommand, client::Client, error::unreadable, render};

#[derive(Serialize)]
struct Discovered {
    delegate: String,
    #[serde(flatten)]
    answer: domain::discovery::Answer,
}

pub(super) async fn run(client: &Client, command: DiscoverCommand) -> Result<u8, Error> {
    let DiscoverCommand::LoadBalancers { infrastructure, application, vpc, name, output } = command;
    let request = api::DiscoveryRequest {
        application: client.application(application).await?,
        infrastructure,
        subject: "loadBalancers".to_owned(),
        name_contains: name.unwrap_or_default(),
        vpc: vpc.unwrap_or_default(),
    };
    let mut discovery = client.discovery();
    let answered = client.call(discovery.query(request)).await?;
    let answer = from_json("answer_json", &answered.answer_json).map_err(|malformed| unreadable(&malformed))?;
    let discovered = Discovered { delegate: answered.delegate_name, answer };
    render::print(output, &discovered, || render::load_balancers(&discovered.answer, &discovered.delegate))?;
    Ok(0)
}
