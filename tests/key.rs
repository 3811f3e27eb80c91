//! `rstack key`, `seed --sign`, and whom readers trust.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use rstack::release::{Place, Reader};
use rstack::store::{DynamoDbStore, S3Store, Store};
use rstack::trust::{PublicKey, TrustedKeys};
use tempfile::TempDir;

use crate::support::local::{shared, unique};
use crate::support::{Rstack, block_on};

#[test]
fn generate_prints_the_public_half_and_keeps_the_private_one() {
    let dir = TempDir::new().expect("a folder");
    let key = || Rstack::new().dir(dir.path());
    let made = key().args(["key", "generate"]).run().expect(0);
    let file = fs::read_to_string(dir.path().join("rstack-key.pem")).expect("the default file");
    assert!(file.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{file}");
    let secret = file.lines().nth(1).expect("a line");
    assert!(!made.stdout.contains(secret) && !made.stderr.contains(secret));
    let public: PublicKey = made.stdout.trim_end().parse().expect("a public key");
    let shown = key().args(["key", "public", "rstack-key.pem"]).run().expect(0);
    assert_eq!(shown.stdout, format!("{public}\n"));
    let again = key().args(["key", "generate"]).run();
    insta::assert_snapshot!(again, @r"
    exit: 1
    --- stdout

    --- stderr
    error: `rstack-key.pem` exists already, and is left as it is
    hint: name another file: a key that is overwritten cannot be had back
    ");
    assert_eq!(
        fs::read_to_string(dir.path().join("rstack-key.pem")).expect("untouched"),
        file
    );
}

#[test]
fn what_is_no_key_is_refused() {
    let dir = TempDir::new().expect("a folder");
    fs::write(dir.path().join("notes.txt"), "secret notes").expect("written");
    let output = Rstack::new().dir(dir.path()).args(["key", "public", "notes.txt"]).run();
    insta::assert_snapshot!(output, @r"
    exit: 1
    --- stdout

    --- stderr
    error: `notes.txt` is not a private key that can sign
    hint: `rstack key generate` makes one: Ed25519, PKCS#8 in PEM, without a passphrase
    ");
    let output = Rstack::new()
        .env("RSTACK_TRUSTED_KEYS", "ed25519:abc")
        .args(["template"])
        .run();
    insta::assert_snapshot!(output, @r#"
    exit: 2
    --- stdout

    --- stderr
    error: `RSTACK_TRUSTED_KEYS` cannot be "ed25519:abc": expected `ed25519:` and 44 characters, as `rstack key generate` prints it
    hint: set RSTACK_TRUSTED_KEYS anew, or `unset RSTACK_TRUSTED_KEYS`
    "#);
}

#[test]
fn trusted_keys_that_name_no_key_are_refused_and_an_empty_variable_counts_as_unset() {
    let trusting = |keys: &str| Rstack::new().env("RSTACK_TRUSTED_KEYS", keys).args(["template"]).run();
    for none in [", ,", ",", " "] {
        let output = trusting(none).expect(2);
        assert!(output.stderr.contains("it is set and names no key"), "{output}");
    }
    trusting("").expect(0);
}

#[test]
fn a_key_that_is_not_there_and_a_folder_that_is_not_there_come_with_a_way_out() {
    let dir = TempDir::new().expect("a folder");
    insta::assert_snapshot!(Rstack::new().dir(dir.path()).args(["key", "public", "no key.pem"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: there is no private key `no key.pem`
    hint: name the file of one, or `rstack key generate 'no key.pem'` makes one
    ");
    insta::assert_snapshot!(Rstack::new().dir(dir.path()).args(["key", "generate", "no/key.pem"]).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: make no/key.pem: No such file or directory (os error 2)
    hint: make the folder first: `mkdir -p no`
    ");
}

/// OpenSSL is what people have: it reads our keys, and we read its.
#[test]
fn openssl_and_rstack_read_each_others_keys() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let dir = TempDir::new().expect("a folder");
    let openssl = |args: &[&str]| {
        let output = Command::new("openssl")
            .current_dir(dir.path())
            .args(args)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let public = |file: &str| {
        let output = Rstack::new()
            .dir(dir.path())
            .args(["key", "public", file])
            .run()
            .expect(0);
        output.stdout.trim_end().to_owned()
    };
    Rstack::new()
        .dir(dir.path())
        .args(["key", "generate", "ours.pem"])
        .run()
        .expect(0);
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "theirs.pem"]);
    for file in ["ours.pem", "theirs.pem"] {
        let der = openssl(&["pkey", "-in", file, "-pubout", "-outform", "DER"]);
        let key = der.last_chunk::<32>().expect("a key");
        assert_eq!(
            public(file),
            format!("ed25519:{}", aws_smithy_types::base64::encode(key))
        );
    }
}

#[test]
fn a_signed_release_is_read_from_both_durable_stores_by_those_who_trust_the_key() {
    let (local, name, dir) = (shared(), unique("signed"), TempDir::new().expect("a folder"));
    let file = dir.path().join("key.pem").display().to_string();
    let public = local.done(["key", "generate", &file]).stdout;
    let other = local.done(["key", "generate", &format!("{file}.other")]).stdout;
    local.done(["up", "-n", &name]);
    local.done(["seed", "-n", &name, "--area", "prod", "--sign", &file]);
    let outputs = local.done(["outputs", "-n", &name, "--format", "json"]).json();
    let output = |key: &str| outputs[key].as_str().expect("text").to_owned();
    let keys = |text: &str| TrustedKeys::from(vec![text.trim_end().parse().expect("a key")]);
    let (trusted, strangers) = (keys(&public), keys(&other));
    let cat = |source: &str, keys: &str| {
        let call = local.rstack(["cat", "-n", &name, source, "foo/module1.py"]);
        call.env("RSTACK_TRUSTED_KEYS", keys.trim_end()).run()
    };
    let bucket = format!("s3://{}/prod", output("RSTACK_BUCKET"));
    for source in ["prod", &bucket] {
        assert!(cat(source, &public).expect(0).stdout.contains("def add"));
        assert!(
            cat(source, &format!("{},{public}", other.trim_end()))
                .expect(0)
                .stderr
                .is_empty()
        );
    }
    // Not even a source that may be missing may be untrusted.
    for source in ["prod", "prod?optional=1", &bucket] {
        let refused = cat(source, &other).expect(1);
        let expected = format!(
            "is signed with {}, which is not among the trusted keys",
            public.trim_end()
        );
        assert!(
            refused.stdout.is_empty() && refused.stderr.contains(&expected),
            "{refused}"
        );
    }
    let releases = |keys: &str| {
        let call = local.rstack(["releases", "-n", &name, "prod"]);
        call.env("RSTACK_TRUSTED_KEYS", keys.trim_end()).run().expect(0)
    };
    let (short, ours) = (&public[..16], releases(&public));
    assert!(
        ours.stdout.contains(&format!(", signed {short}…")) && ours.stderr.is_empty(),
        "{ours}"
    );
    let theirs = releases(&other);
    assert!(theirs.stdout.contains(&format!(", unknown key {short}…")), "{theirs}");
    assert!(
        theirs
            .stderr
            .contains("1 move shown here without the signature of a trusted key"),
        "{theirs}"
    );
    block_on(async {
        let aws = local.aws().await;
        let stores: [Arc<dyn Store>; 2] = [
            Arc::new(S3Store::new(aws.s3().clone(), output("RSTACK_BUCKET"))),
            Arc::new(DynamoDbStore::new(aws.dynamodb().clone(), output("RSTACK_TABLE"))),
        ];
        for store in stores {
            let place = |trusted: &TrustedKeys| Place {
                trusted: trusted.clone(),
                ..Place::of(store.clone(), "prod".parse().expect("an area"))
            };
            let reader = Reader::open(place(&trusted), None).await.expect("trusted");
            assert_eq!(reader.manifest().files.len(), 7);
            let refused = Reader::open(place(&strangers), None).await.expect_err("a stranger's");
            assert!(refused.to_string().contains("is signed with ed25519:"), "{refused}");
        }
    });
    local.done(["down", "-n", &name, "--yes"]);
}

#[test]
fn without_a_release_there_is_nothing_to_sign() {
    let (local, name, dir) = (shared(), unique("unsigned"), TempDir::new().expect("a folder"));
    let file = dir.path().join("key.pem").display().to_string();
    local.done(["key", "generate", &file]);
    local.done(["up", "-n", &name]);
    let call = local.rstack(["seed", "-n", &name, "--sign", &file, "--store", "s3"]);
    insta::assert_snapshot!(call.run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: a release takes s3 and dynamodb, and without one there is nothing to sign
    hint: name both in `--store`, or leave `--store` out
    ");
    local.done(["down", "-n", &name, "--yes"]);
}

#[test]
fn up_signs_what_it_seeds_with_the_key_given_or_configured() {
    let (local, dir) = (shared(), TempDir::new().expect("a folder"));
    let name = unique("up-signed");
    let key = dir.path().join("key.pem");
    let key = key.to_str().expect("UTF-8");
    let public = local.done(["key", "generate", key]).stdout;
    fs::create_dir(dir.path().join("src")).expect("a folder");
    fs::write(dir.path().join("src/a.py"), "a = 1\n").expect("written");
    let up = |more: &[&str]| {
        let call = local.rstack(["up", "-n", &name, "--yes"]).args(more);
        call.env("RSTACK_AREA", &name)
            .dir(dir.path())
            .hide(name.clone(), "[NAME]")
    };
    let nothing = up(&["--sign", key]).run().expect(2);
    assert!(nothing.stderr.contains("add `--seed`"), "{nothing}");
    up(&["--seed", "src", "--sign", key]).run().expect(0);
    let read = || {
        let call = local.rstack(["cat", "-n", &name, &name, "a.py"]);
        call.env("RSTACK_TRUSTED_KEYS", public.trim()).run()
    };
    assert_eq!(read().expect(0).stdout, "a = 1\n");
    // From the file, like every command that publishes; and never quietly without.
    fs::write(dir.path().join("src/a.py"), "a = 2\n").expect("written");
    let unsigned = up(&["--seed", "src"]).run().expect(1);
    assert!(
        unsigned.stderr.contains("is signed, and this move would not be"),
        "{unsigned}"
    );
    fs::write(dir.path().join("rstack.yaml"), "signing_key: key.pem\n").expect("written");
    up(&["--seed", "src"]).run().expect(0);
    assert_eq!(read().expect(0).stdout, "a = 2\n");
}
