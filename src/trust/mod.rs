//! Signatures: whom a release comes from, whatever the store is that it was read from.
//!
//! A publisher signs with Ed25519 that an area's move number so-and-so leads to the manifest with this hash, which
//! names every file by hash. Readers that are given public keys take nothing that none of them has signed.

mod file;
mod key;
mod signature;

pub use file::{generate, others_may_read, read_private_key};
pub use key::{PrivateKey, PublicKey};
pub use signature::{Distrust, Signature, SignatureState, TrustedKeys, Vow};
