//! `segue version`.

use domain::error::Error;
use proto::api;

use crate::client::Client;

pub(super) async fn run(client: Option<Client>) -> Result<u8, Error> {
    println!("segue {}", env!("CARGO_PKG_VERSION"));
    if let Some(client) = client {
        let mut server = client.server();
        match client.call(server.info(api::InfoRequest {})).await {
            Ok(info) => {
                println!("control plane {}, {} delegates connected", info.version, info.delegates_connected);
                if !info.writable {
                    println!("it takes no new work: {}", domain::console::visible(&info.reason));
                }
            }
            Err(error) => eprintln!("control plane: {}", domain::console::visible(&error.message)),
        }
    }
    Ok(0)
}
