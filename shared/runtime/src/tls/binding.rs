//! What ties a proof of identity to one request to join: the same digest is made by the delegate that signs and by the control plane
//! that checks. A proof that was made for another key or another control plane does not fit.

/// The header of a signed request that bears the digest.
pub const BINDING_HEADER: &str = "x-segue-joins";

/// The digest of a certificate request and of the authorities that the delegate trusts, both PEM: 64 hexadecimal digits.
pub fn binding(certificate_request: &str, authorities: &str) -> String {
    let mut digest = blake3::Hasher::new_derive_key("segue 2026-11-23 joining by AWS identity");
    for part in [certificate_request, authorities] {
        let part = part.trim();
        digest.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    digest.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_either_part_and_not_on_line_ends_around_them() {
        let digest = binding("request", "authorities");
        assert_eq!(binding("request\n", "\nauthorities\n"), digest);
        for other in [binding("requesta", "uthorities"), binding("request", "others"), binding("other", "authorities")] {
            assert_ne!(other, digest);
        }
        assert_eq!(digest.len(), 64);
    }
}
