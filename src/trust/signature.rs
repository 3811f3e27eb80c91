//! What is signed, and what a reader makes of it.

use aws_smithy_types::base64;
use serde::{Deserialize, Serialize};

use super::{PrivateKey, PublicKey};

/// What a publisher vouches for: this move of this area leads to this manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vow<'a> {
    pub area: &'a str,
    pub sequence: u64,
    /// SHA-256 of the manifest, in hexadecimal.
    pub manifest: &'a str,
}

/// A signature beside the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub key: PublicKey,
    /// 64 bytes in base64.
    pub value: String,
}

/// Why a reader does not take a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    #[error("the release in area `{area}` is not signed, and only signed ones are trusted")]
    Unsigned { area: String },
    #[error("`{location}` cannot be signed, and only what is signed is trusted")]
    Unsignable { location: String },
    #[error("the release in area `{area}` is signed with {key}, which is not among the trusted keys")]
    UnknownKey { area: String, key: PublicKey },
    #[error("the signature of the release in area `{area}` is wrong: what is there is not what {key} signed")]
    WrongSignature { area: String, key: PublicKey },
    #[error(
        "area `{area}` of {place} is at move {sequence}, and was seen at move {seen} before: somebody put an older marker \
         back, or the store lost writes"
    )]
    Older {
        area: String,
        place: String,
        sequence: u64,
        seen: u64,
    },
}

impl Distrust {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unsigned { .. } => "publish it with `rstack seed --sign KEY`, or read without trusted keys",
            Self::Unsignable { .. } => "publish what it has to an area, signed, or read without trusted keys",
            Self::UnknownKey { .. } => {
                "if you trust that key, add it to RSTACK_TRUSTED_KEYS or to `trusted_keys` in rstack.yaml"
            }
            Self::WrongSignature { .. } => {
                "somebody else wrote it, or it is damaged; `rstack releases` shows the moves, and publishing anew \
                 repairs it"
            }
            Self::Older { .. } => {
                "publishing anew moves it on; `rstack cache clear --seen` takes it as it is, if you know why it is so"
            }
        }
        .to_owned()
    }
}

/// What there is to say of a move's signature, for people who look at the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    Unsigned,
    /// It fits its own key; nobody said which keys are trusted.
    Fits,
    /// Made by a trusted key.
    Trusted,
    /// It fits its own key, which is not a trusted one.
    UnknownKey,
    /// What is there is not what was signed.
    Wrong,
}

/// Whose releases are taken; everyone's when there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(Vec<PublicKey>);

impl From<Vec<PublicKey>> for TrustedKeys {
    fn from(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }
}

impl TrustedKeys {
    /// Everyone is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and one more.
    #[must_use]
    pub fn with(&self, key: PublicKey) -> Self {
        Self(self.0.iter().copied().chain([key]).collect())
    }
}

impl Vow<'_> {
    /// The first line keeps such a signature from being taken for one of anything else. Areas have no line feeds.
    fn message(&self) -> Vec<u8> {
        let Self {
            area,
            sequence,
            manifest,
        } = self;
        format!("rstack release, version 1\n{area}\n{sequence}\n{manifest}\n").into_bytes()
    }

    #[must_use]
    pub fn sign(&self, key: &PrivateKey) -> Signature {
        Signature {
            key: key.public(),
            value: base64::encode(key.sign(&self.message())),
        }
    }
}

impl TrustedKeys {
    /// What these keys make of a signature.
    #[must_use]
    pub fn state(&self, vow: &Vow<'_>, signature: Option<&Signature>) -> SignatureState {
        let Some(made) = signature else {
            return SignatureState::Unsigned;
        };
        let own = Self(vec![made.key]);
        if own.check(vow, signature).is_err() {
            SignatureState::Wrong
        } else if self.0.is_empty() {
            SignatureState::Fits
        } else if self.0.contains(&made.key) {
            SignatureState::Trusted
        } else {
            SignatureState::UnknownKey
        }
    }

    /// Whether the release may be taken.
    ///
    /// # Errors
    /// When keys are given, and none of them made this signature of this vow.
    pub fn check(&self, vow: &Vow<'_>, signature: Option<&Signature>) -> Result<(), Distrust> {
        if self.0.is_empty() {
            return Ok(());
        }
        let area = vow.area.to_owned();
        let Some(Signature { key, value }) = signature else {
            return Err(Distrust::Unsigned { area });
        };
        if !self.0.contains(key) {
            return Err(Distrust::UnknownKey { area, key: *key });
        }
        let right = base64::decode(value).is_ok_and(|value| key.verifies(&vow.message(), &value));
        if right {
            Ok(())
        } else {
            Err(Distrust::WrongSignature { area, key: *key })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32]).expect("a key")
    }

    const VOW: Vow<'_> = Vow {
        area: "prod",
        sequence: 7,
        manifest: "00ff",
    };

    #[test]
    fn only_what_a_trusted_key_signed_is_taken() {
        let trusted = TrustedKeys::from(vec![key(1).public(), key(2).public()]);
        for signer in [1, 2] {
            assert_eq!(trusted.check(&VOW, Some(&VOW.sign(&key(signer)))), Ok(()));
        }
        let (area, stranger) = ("prod".to_owned(), key(3).public());
        assert_eq!(
            trusted.check(&VOW, None),
            Err(Distrust::Unsigned { area: area.clone() })
        );
        let state = |signature: Option<Signature>| trusted.state(&VOW, signature.as_ref());
        let wrong = Vow { sequence: 8, ..VOW }.sign(&key(1));
        assert_eq!(state(None), SignatureState::Unsigned);
        assert_eq!(state(Some(VOW.sign(&key(2)))), SignatureState::Trusted);
        assert_eq!(state(Some(VOW.sign(&key(3)))), SignatureState::UnknownKey);
        assert_eq!(state(Some(wrong)), SignatureState::Wrong);
        let fits = TrustedKeys::default().state(&VOW, Some(&VOW.sign(&key(3))));
        assert_eq!(fits, SignatureState::Fits);
        assert_eq!(
            trusted.check(&VOW, Some(&VOW.sign(&key(3)))),
            Err(Distrust::UnknownKey { area, key: stranger })
        );
    }

    #[test]
    fn a_signature_is_for_one_area_one_move_and_one_manifest() {
        let trusted = TrustedKeys::from(vec![key(1).public()]);
        let signature = VOW.sign(&key(1));
        let others = [
            Vow { area: "uat", ..VOW },
            Vow { sequence: 8, ..VOW },
            Vow {
                manifest: "00fe",
                ..VOW
            },
        ];
        for other in others {
            let wrong = trusted.check(&other, Some(&signature)).expect_err("another vow");
            assert!(matches!(wrong, Distrust::WrongSignature { .. }), "{other:?}: {wrong}");
        }
        // A signature of another key under a trusted name, and none at all.
        for value in [VOW.sign(&key(2)).value, String::new(), "!".to_owned()] {
            let forged = Signature {
                key: key(1).public(),
                value,
            };
            assert!(trusted.check(&VOW, Some(&forged)).is_err());
        }
    }

    #[test]
    fn without_keys_everything_is_taken() {
        assert_eq!(TrustedKeys::default().check(&VOW, None), Ok(()));
    }
}
