//! A real package, there and back: Django, which the article's finder names.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::world::{Dir, World};
use crate::support::python::venv;

const REQUIREMENTS: [&str; 3] = ["Django==5.2.8", "boto3==1.43.11", "redis==7.1.0"];

/// Compares every file of a directory, and their number, through the usual clients.
const COMPARE: &str = r#"
import os, sys, boto3, redis
root, area, bucket, table, url = (os.environ[k] for k in ("ROOT", "AREA", "BUCKET", "TABLE", "REDIS_URL"))
files = {}
for folder, _, names in os.walk(root):
    for name in names:
        path = os.path.join(folder, name)
        files[f"{area}/{os.path.relpath(path, root)}"] = open(path, "rb").read()
own = lambda key: key.startswith(f"{area}/.rstack/") or key.startswith(".rstack/")

s3 = boto3.client("s3")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
keys = {o["Key"] for page in pages for o in page.get("Contents", [])}
assert {k for k in keys if not own(k)} == set(files), "s3 has other keys"
for key, content in files.items():
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == content, f"s3: {key}"

items = {}
for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table):
    for item in page["Items"]:
        code = item.get("code", {})
        items[item["path"]["S"]] = code["S"].encode() if "S" in code else code.get("B")
assert {k: v for k, v in items.items() if not own(k)} == files, "dynamodb differs"

r = redis.Redis.from_url(url)
assert {k.decode() for k in r.scan_iter(f"{area}/*", count=5000) if not own(k.decode())} == set(files), "redis has other keys"
for key, content in files.items():
    assert r.get(key) == content, f"redis: {key}"
print(len(files))
"#;

#[test]
fn django_is_the_same_in_every_store_byte_for_byte_and_goes_without_a_trace() {
    let python = venv(&REQUIREMENTS);
    let package = Dir::new(&super::world::Files::new());
    copy(&python.site_packages().join("django"), &package.path().join("django"));
    let world = World::new("seed-django");
    world.seed_dir(package.path()).args(["--plain"]).run().expect(0);

    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut variables = world.variables().to_vec();
    variables.extend([
        variable("ROOT", package.path().to_str().expect("UTF-8")),
        variable("AREA", &world.name),
        variable("BUCKET", world.output("BucketName")),
        variable("TABLE", world.output("TableName")),
    ]);
    let compared: u32 = python.python(COMPARE, &variables).trim().parse().expect("a number");
    assert!(compared > 3000, "{compared} files");

    let local = crate::support::local::shared();
    let area = [world.name.as_str()];
    local.done(["down", "--yes", "-n", area[0]]);
    let gone = r#"
import os, boto3, redis
assert os.environ["BUCKET"] not in [b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"]]
assert os.environ["TABLE"] not in boto3.client("dynamodb").list_tables()["TableNames"]
assert list(redis.Redis.from_url(os.environ["REDIS_URL"]).scan_iter(os.environ["AREA"] + "/*")) == []
print("nothing")
"#;
    assert_eq!(python.python(gone, &variables).trim(), "nothing");
}

/// A copy without byte code, which Python may write at any time.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").args([from, to]).status().expect("cp");
    assert!(status.success());
    let mut folders = vec![to.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.ends_with("__pycache__") {
                fs::remove_dir_all(path).expect("removed");
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
}
