//! Seeding a Redis with too little memory, with a password, with TLS, out of reach.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::world::{Dir, World, held, many, told};
use crate::support::redis::Redis;
use crate::support::{Workspace, block_on, local};

#[test]
fn a_redis_that_is_full_says_so() {
    let world = World::new("seed-full");
    let redis = Redis::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]);
    let dir = Dir::new(&many(40, 200_000, 1));
    let output = world
        .seed_dir(dir.path())
        .args(["--redis-url", &redis.url()])
        .run()
        .expect(3);
    assert!(output.stderr.contains("maxmemory"), "{output}");
    assert!(output.stderr.contains("hint: use a larger node type"), "{output}");
}

#[test]
fn a_password_comes_from_the_url_or_the_environment_and_is_never_shown() {
    let world = World::new("seed-auth");
    let redis = Redis::start(&["--requirepass", "s3cr3t word"]);
    let output = world.seed(["--redis-url", &redis.url()]).run().expect(3);
    assert!(output.stderr.contains("RSTACK_REDIS_PASSWORD"), "{output}");
    let wrong = world
        .seed(["--redis-url", &redis.url()])
        .env("RSTACK_REDIS_PASSWORD", "wr0ng")
        .run()
        .expect(3);
    assert!(!wrong.stderr.contains("wr0ng"), "{wrong}");
    world
        .seed(["--redis-url", &redis.url()])
        .env("RSTACK_REDIS_PASSWORD", "s3cr3t word")
        .run()
        .expect(0);
    let url = format!("redis://:s3cr3t%20word@127.0.0.1:{}", redis.port());
    let output = world
        .seed(["--redis-url", &url, "-v"])
        .env("RSTACK_LOG", "trace")
        .run()
        .expect(0);
    assert!(!format!("{output}").contains("s3cr3t"), "{output}");
    let nobody = world
        .seed(["--redis-url", "redis://:s3cr3t@127.0.0.1:1/2"])
        .run()
        .expect(3);
    assert!(!format!("{nobody}").contains("s3cr3t"), "{nobody}");
    let again = "--redis-url redis://127.0.0.1:1/2, with the password";
    assert!(nobody.stderr.contains(again), "{nobody}");
}

#[test]
fn a_tunnel_over_tls_has_to_end_at_the_environments_own_redis() {
    let certificates = certificates(&["right.example.com", "wrong.example.com"]);
    let of = |name: &str| {
        let file = |end: &str| certificates.path().join(format!("{name}.{end}")).display().to_string();
        Redis::start(&[
            "--tls-port",
            "PORT",
            "--tls-auth-clients",
            "no",
            "--tls-cert-file",
            &file("crt"),
            "--tls-key-file",
            &file("key"),
        ])
    };
    let world = World::from_template("seed-tls", &template("right.example.com", 6379, true));
    let seed = |redis: &Redis| {
        let url = format!("rediss://127.0.0.1:{}", redis.port());
        let ca = certificates.path().join("ca.crt");
        world.seed(["--redis-url", &url]).env("SSL_CERT_FILE", ca).run()
    };
    let right = of("right.example.com");
    seed(&right).expect(0);
    let output = seed(&of("wrong.example.com")).expect(3);
    assert!(output.stderr.contains("certificate"), "{output}");
    let plain = world.seed(["--redis-url", "redis://127.0.0.1:1"]).run().expect(2);
    assert!(plain.stderr.contains("speaks TLS only"), "{plain}");
}

#[test]
fn a_redis_out_of_reach_lags_and_the_way_to_it_is_told() {
    // Nothing listens on port 1.
    let world = World::from_template("seed-vpc", &template("127.0.0.1", 1, false));
    let config = TempDir::new().expect("a folder");
    let seed = |args: &[&str]| {
        // As on real AWS: nothing tells rstack that this one is local.
        let variable = |name: &str| {
            world
                .variables()
                .iter()
                .find(|(key, _)| key == name)
                .expect(name)
                .1
                .clone()
        };
        crate::support::Rstack::new()
            .endpoint(variable("AWS_ENDPOINT_URL"))
            .dir(config.path())
            .args(["seed", "-n", &world.name, "--area", &world.name])
            .args(args)
            .hide(&world.name, "[NAME]")
            .run()
    };
    assert_snapshot!(told(&seed(&[])), @r#"
        exit: 3
        --- stdout
        STORE STATE SENT UNCHANGED REMOVED BYTES TOOK RATE
        s3 done 7 0 0 10.3 KiB [DURATION] [RATE]
        dynamodb done 7 0 0 10.3 KiB [DURATION] [RATE]
        redis failed 0 0 0 0 B [DURATION] -
        area `[NAME]`: 7 files, 10.3 KiB, but not in every store after [DURATION]
        release [RELEASE] of area `[NAME]`: 7 files, 7 added, 0 changed, 0 removed, but a store lags in [DURATION]

        --- stderr
        [CLOCK] warning: redis: `127.0.0.1:[PORT]` cannot be reached: Connection refused (os error 111)
        [CLOCK] hint: it is inside a VPC; run this from a machine in it, or forward local port [PORT] to 127.0.0.1:[PORT] through one that is in the environment's security group (`stores: {redis: {via: i-…}}` in rstack.yaml names an instance for Session Manager, and the command is shown here), then, in another terminal: rstack seed --name [NAME] --area [NAME] --redis-url redis://127.0.0.1:[PORT]
        "#);
    std::fs::write(
        config.path().join("rstack.yaml"),
        "stores: {redis: {via: i-0123456789abcdef0}}\n",
    )
    .expect("written");
    assert_snapshot!(told(&seed(&[])), @r#"
        exit: 3
        --- stdout
        STORE STATE SENT UNCHANGED REMOVED BYTES TOOK RATE
        s3 done 0 7 0 0 B [DURATION] -
        dynamodb done 0 7 0 0 B [DURATION] -
        redis failed 0 0 0 0 B [DURATION] -
        area `[NAME]`: 7 files, 10.3 KiB, but not in every store after [DURATION]
        area `[NAME]` has exactly this already: release [RELEASE], but a store lags

        --- stderr
        [CLOCK] warning: redis: `127.0.0.1:[PORT]` cannot be reached: Connection refused (os error 111)
        [CLOCK] hint: it is inside a VPC; open a tunnel: aws ssm start-session --region eu-west-1 --target i-0123456789abcdef0 --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters '{"host":["127.0.0.1"],"portNumber":["1"],"localPortNumber":["1"]}' — then, in another terminal: rstack seed --name [NAME] --area [NAME] --redis-url redis://127.0.0.1:[PORT]
        "#);
    assert_snapshot!(told(&seed(&["--store", "redis"])), @r#"
        exit: 1
        --- stdout

        --- stderr
        [CLOCK] no release is made, as that takes both s3 and dynamodb: only plain files
        error: redis: `127.0.0.1:[PORT]` cannot be reached: Connection refused (os error 111)
        hint: it is inside a VPC; open a tunnel: aws ssm start-session --region eu-west-1 --target i-0123456789abcdef0 --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters '{"host":["127.0.0.1"],"portNumber":["1"],"localPortNumber":["1"]}' — then, in another terminal: rstack seed --name [NAME] --area [NAME] --redis-url redis://127.0.0.1:[PORT]
        "#);
    let tunnel = Redis::start(&[]);
    seed(&["--redis-url", &tunnel.url()]).expect(0);
    assert_eq!(block_on(held(&tunnel.store(), &world.name)).len(), 7);
}

/// A stack whose Redis is where the test says.
fn template(address: &str, port: u16, tls: bool) -> String {
    let scheme = if tls { "rediss" } else { "redis" };
    format!(
        "Resources:
  bucket: {{Type: 'AWS::S3::Bucket'}}
  table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: path, AttributeType: S}}]
      KeySchema: [{{AttributeName: path, KeyType: HASH}}]
Outputs:
  BucketName: {{Value: !Ref bucket}}
  TableName: {{Value: !Ref table}}
  RedisAddress: {{Value: {address}}}
  RedisPort: {{Value: '{port}'}}
  RedisUrl: {{Value: '{scheme}://{address}:{port}'}}
"
    )
}

/// A certificate authority, `ca.crt`, and a certificate of it for each name.
fn certificates(names: &[&str]) -> TempDir {
    let dir = TempDir::new().expect("a folder");
    let openssl = |args: &[&str]| openssl(dir.path(), args);
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
    ]);
    for name in names {
        let file = |end: &str| format!("{name}.{end}");
        let (subject, alternative) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        openssl(&[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
        ]);
        std::fs::write(dir.path().join("extensions"), alternative).expect("written");
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &file("csr"),
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "extensions",
            "-out",
            &file("crt"),
        ]);
    }
    dir
}

fn openssl(dir: &Path, args: &[&str]) {
    let output = Command::new("openssl")
        .args(args)
        .current_dir(dir)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_environment_with_tls_is_warned_of_on_the_local_aws_and_nobody_is_sent_to_start_its_redis() {
    let (local, name, folder) = (
        local::shared(),
        local::unique("seed-local-tls"),
        TempDir::new().expect("a folder"),
    );
    std::fs::write(folder.path().join("rstack.yaml"), "stores: {redis: {tls: true}}\n").expect("written");
    let call = |args: &[&str]| {
        local
            .rstack(args.iter().copied())
            .dir(folder.path())
            .args(["-n", &name])
            .run()
    };
    let up = call(&["up", "--yes"]).expect(0);
    assert!(
        up.stderr.contains("warning: the local AWS has a Redis without TLS"),
        "{up}"
    );
    let seed = call(&["seed"]).expect(3);
    assert!(seed.stderr.contains("without `stores: {redis: {tls: true}}`"), "{seed}");
    assert!(!seed.stderr.contains("rstack local start"), "{seed}");
}

#[test]
fn an_area_that_another_environment_has_in_the_shared_redis_is_told() {
    let (first, second) = (Workspace::new("neighbour-a"), Workspace::new("neighbour-b"));
    for world in [&first, &second] {
        world.write("src/a.py", "a = 1\n");
    }
    let area = first.name.as_str();
    let told = "area `[NAME]` of environment `[NAME]` leaves Redis";
    assert!(
        !first
            .run(&["seed", "./src", "--area", area])
            .expect(0)
            .stderr
            .contains("leaves Redis")
    );
    let output = second.run(&["seed", "./src", "--area", area]).expect(0);
    assert!(output.stderr.replace(area, "[NAME]").contains(told), "{output}");
    assert!(
        !second
            .run(&["seed", "./src", "--area", area])
            .expect(0)
            .stderr
            .contains("leaves Redis")
    );
}
