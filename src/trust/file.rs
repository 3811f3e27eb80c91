//! The file of a private key: PKCS#8 in PEM, as OpenSSL and everything else reads and writes it
//! (`openssl genpkey -algorithm ed25519`), for its owner only.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_smithy_types::base64;

use super::key::{LENGTH, PrivateKey, PublicKey, random_seed};
use crate::error::{Error, Result};
use crate::shell::quote;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What stands before the seed: version 1, the algorithm Ed25519 (1.3.101.112), an octet string in an octet string.
const HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Makes a key, writes it to a new file that only its owner may read, and returns the public half.
///
/// # Errors
/// When the file exists already or cannot be written.
pub fn generate(path: &Path) -> Result<PublicKey> {
    let seed = random_seed()?;
    let public = PrivateKey::from_seed(&seed)?.public();
    let text = format!(
        "{BEGIN}\n{}\n{END}\n",
        base64::encode([HEAD.as_slice(), &seed].concat())
    );
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::refused(format!("`{}` exists already, and is left as it is", path.display()))
                .with_hint("name another file: a key that is overwritten cannot be had back")
        }
        std::io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            Error::file("make", path, error).with_hint(format!("make the folder first: `mkdir -p {}`", quoted(folder)))
        }
        _ => Error::file("make", path, error),
    })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::file("write", path, error))?;
    Ok(public)
}

/// Reads a private key.
///
/// # Errors
/// When the file cannot be read or is no Ed25519 key without a passphrase. The text of the file is never repeated.
pub fn read_private_key(path: &Path) -> Result<PrivateKey> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("there is no private key `{}`", path.display()))
            .with_hint(format!(
                "name the file of one, or `rstack key generate {}` makes one",
                quoted(path)
            )),
        _ => Error::file("read", path, error),
    })?;
    let seed = seed(&text).ok_or_else(|| {
        Error::refused(format!("`{}` is not a private key that can sign", path.display()))
            .with_hint("`rstack key generate` makes one: Ed25519, PKCS#8 in PEM, without a passphrase")
    })?;
    PrivateKey::from_seed(&seed)
}

fn quoted(path: &Path) -> String {
    quote(&path.display().to_string())
}

/// Whether others than its owner may read the file of a private key.
#[must_use]
pub fn others_may_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.mode() & 0o044 != 0)
}

fn seed(text: &str) -> Option<[u8; LENGTH]> {
    let body = text.split_once(BEGIN)?.1.split_once(END)?.0;
    let body: String = body.split_whitespace().collect();
    let der = base64::decode(body).ok()?;
    der.strip_prefix(&HEAD)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_key_is_for_its_owner_only_and_never_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("key.pem");
        let public = generate(&path).expect("made");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read_private_key(&path).expect("read").public(), public);
        let before = fs::read(&path).expect("read");
        let error = generate(&path).expect_err("it exists");
        assert!(error.to_string().contains("exists already"), "{error}");
        assert_eq!(fs::read(&path).expect("read"), before);
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("key.pem");
        let rsa = format!("{BEGIN}\n{}\n{END}\n", base64::encode([0x30; 48]));
        for text in ["", "secret", &rsa, &format!("{BEGIN}\n!!!\n{END}"), BEGIN] {
            fs::write(&path, text).expect("written");
            let error = read_private_key(&path).expect_err("no key");
            assert!(
                error.to_string().ends_with("is not a private key that can sign"),
                "{error}"
            );
        }
    }
}
