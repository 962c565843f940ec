//! The one crypto provider of all of Segue.

/// Makes aws-lc-rs the process's provider. To be called first thing in every `main`: TLS set-up without it may panic. Calling it
/// again changes nothing.
pub fn install_provider() {
    // An error means that a provider is installed already: ours, from an earlier call.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
