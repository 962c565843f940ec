//! Compiles the `.proto` files with a compiler written in Rust, so that building needs no `protoc` on the machine.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 2] = ["segue/delegate/v1/gateway.proto", "segue/api/v1/api.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=segue");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(out, prost_bytes(&descriptors))?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

/// The descriptors as bytes, for gRPC reflection.
fn prost_bytes(descriptors: &impl protox::prost_reflect::prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
