//! Keys, and how they are written as text.

use std::fmt;
use std::str::FromStr;

use aws_smithy_types::base64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// Bytes of a private key's seed, and of a public key.
pub(super) const LENGTH: usize = 32;
const SCHEME: &str = "ed25519:";

/// Signs. It is never shown: not even its `Debug` form tells it.
pub struct PrivateKey(Ed25519KeyPair);

/// Tells whether a signature is one's own. As text: `ed25519:` and 32 bytes in base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; LENGTH]);

impl PrivateKey {
    /// A key of this seed.
    ///
    /// # Errors
    /// Never for a seed of 32 bytes.
    pub(super) fn from_seed(seed: &[u8; LENGTH]) -> Result<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|error| Error::unexpected(format!("the key cannot be used: {error}")))
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

/// A seed from the system's random numbers.
pub(super) fn random_seed() -> Result<[u8; LENGTH]> {
    let mut seed = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| Error::unexpected("the system gives no random numbers"))?;
    Ok(seed)
}

impl PublicKey {
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.public()).finish()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", base64::encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = text.strip_prefix(SCHEME).and_then(|text| base64::decode(text).ok());
        let key = bytes.and_then(|bytes| bytes.try_into().ok());
        key.map(Self).ok_or_else(|| {
            Error::usage(format!("{text:?} is not a public key"))
                .with_hint("a public key is `ed25519:` and 44 characters, as `rstack key generate` prints it")
        })
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_read_as_it_is_written() {
        let key = PrivateKey::from_seed(&[7; LENGTH]).expect("a key").public();
        assert_eq!(key.to_string().parse::<PublicKey>().expect("the same"), key);
        for bad in ["", "ed25519:", "ed25519:AAAA", "rsa:x", &format!("{key}A")] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_private_key_is_not_shown() {
        let seed = [7; LENGTH];
        let shown = format!("{:?}", PrivateKey::from_seed(&seed).expect("a key"));
        assert!(shown.starts_with("PrivateKey(ed25519:"), "{shown}");
        assert!(!shown.contains(&base64::encode(seed)));
    }

    /// The first test vector of RFC 8032, section 7.1.
    #[test]
    fn it_is_ed25519() {
        let hex = |text: &str| -> Vec<u8> {
            let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
            (0..text.len()).step_by(2).map(digits).collect()
        };
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = PrivateKey::from_seed(&seed.try_into().expect("32 bytes")).expect("a key");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(key.public().0.as_slice(), public);
        let signature = hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        assert_eq!(key.sign(b""), signature);
    }
}
