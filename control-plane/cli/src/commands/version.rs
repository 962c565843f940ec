//! `segue version`.

use domain::error::Error;
use proto::api;

use crate::{client::Client, render::Screen};

pub(super) async fn run(client: Option<Client>, screen: &mut Screen) -> Result<u8, Error> {
    screen.data(&format!("segue {}\n", env!("CARGO_PKG_VERSION")))?;
    if let Some(client) = client {
        let mut server = client.server();
        match client.call(server.info(api::InfoRequest {})).await {
            Ok(info) => {
                let of_server = format!(
                    "control plane {} at {}, {} delegates connected\n",
                    domain::console::visible(&info.version),
                    domain::console::visible(client.address()),
                    info.delegates_connected
                );
                screen.data(&of_server)?;
                if !info.writable {
                    screen.data(&format!("it takes no new work: {}\n", domain::console::visible(&info.reason)))?;
                }
            }
            Err(error) => screen.note(&format!("control plane: {}\n", domain::console::visible(&error.message))),
        }
    }
    Ok(0)
}
