//! `--timeline` of `rstack up` and `rstack status`.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};

use tempfile::TempDir;

use crate::support::Rstack;
use crate::support::environment::made;
use crate::support::local::{shared, unique};
use crate::support::scripted::{Script, denied};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[test]
fn up_draws_what_each_resource_did() {
    let (name, folder) = (unique("timeline"), TempDir::new().expect("a folder"));
    let (svg, png) = (folder.path().join("up.svg"), folder.path().join("status.PNG"));
    let path = svg.to_str().expect("text");
    let up = shared().done(["up", "-n", &name, "--timeline", path, "--output", "json"]);
    let result = up.json_lines().pop().expect("a result");
    let lanes = result["data"]["timeline"]["lanes"].as_array().expect("lanes");
    let drawn = fs::read_to_string(&svg).expect("the timeline");
    for (logical_id, resource_type) in [
        (name.as_str(), "AWS::CloudFormation::Stack"),
        ("Bucket", "AWS::S3::Bucket"),
        ("Table", "AWS::DynamoDB::Table"),
        ("Redis", "AWS::ElastiCache::CacheCluster"),
    ] {
        let lane = lanes
            .iter()
            .find(|lane| lane["logical_id"] == logical_id)
            .expect(logical_id);
        assert_eq!(lane["resource_type"], resource_type);
        assert_eq!(lane["phases"][0]["status"], "CREATE_COMPLETE", "{lane}");
        assert!(
            lane["phases"][0]["end"].as_f64() >= lane["phases"][0]["start"].as_f64(),
            "{lane}"
        );
        assert!(
            drawn.contains(&format!("\n{logical_id}\n")) && drawn.contains(resource_type),
            "{drawn}"
        );
    }
    assert_eq!(drawn.matches("\nCREATE_COMPLETE ").count(), lanes.len(), "{drawn}");
    let status = shared().done(["status", "-n", &name, "--timeline", png.to_str().expect("text")]);
    assert!(status.stderr.contains("the timeline is in"), "{status}");
    assert!(fs::read(&png).expect("the timeline").starts_with(PNG));
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["status.PNG", "up.svg"], "nothing else was left behind");
    shared().done(["down", "-n", &name, "--yes"]);
}

#[test]
fn without_a_file_it_is_drawn_as_text() {
    let name = unique("timeline");
    made(shared(), &name);
    let shown = |columns: &str| {
        let call = shared().rstack(["status", "-n", &name, "--timeline"]);
        call.env("COLUMNS", columns).run().expect(0).stdout
    };
    let wide = shown("100");
    let lane = wide
        .lines()
        .find(|line| line.starts_with("bucket ") && line.contains('█'));
    assert!(lane.is_some_and(|lane| lane.contains("CREATE_COMPLETE")), "{wide}");
    let narrow = shown("40");
    assert!(narrow.contains("\nbucket CREATE_COMPLETE "), "{narrow}");
    // A terminal that tells no width is taken for one of 80 columns.
    assert!(shown("0").contains("bucket"));
}

#[test]
fn a_picture_that_cannot_be_written_in_the_end_costs_nothing_else() {
    let (name, folder) = (unique("timeline"), TempDir::new().expect("a folder"));
    made(shared(), &name);
    let link = folder.path().join("full.svg");
    symlink("/dev/full", &link).expect("a link");
    let status = ["status", "-n", &name, "--timeline", link.to_str().expect("text")];
    let output = shared().rstack(status).run().expect(1);
    assert!(output.stdout.contains("CREATE_COMPLETE"), "{output}");
    assert!(
        output.stderr.contains("error: ") && output.stderr.contains("full.svg"),
        "{output}"
    );
    let device = fs::metadata(&link).expect("a device").file_type();
    assert!(
        device.is_char_device(),
        "the link and what it leads to stay what they are"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_made() {
    let folder = TempDir::new().expect("a folder");
    let inside = folder.path().display().to_string();
    let script = Script::new().start();
    for (file, complaint) in [
        (format!("{inside}/none/up.svg"), "there is no folder"),
        (format!("{inside}/up.gif"), "is no name of a picture that can be drawn"),
        (format!("{inside}/up"), "is no name of a picture that can be drawn"),
    ] {
        for command in ["up", "status"] {
            let output = script
                .rstack([command, "-n", "demo", "--timeline", &file])
                .run()
                .expect(2);
            assert!(
                output.stderr.contains(complaint) && output.stderr.contains("hint: "),
                "{output}"
            );
        }
    }
    let made = folder.path().join("dir.svg");
    fs::create_dir(&made).expect("a folder");
    let output = script
        .rstack(["up", "-n", "demo", "--timeline", made.to_str().expect("text")])
        .run()
        .expect(2);
    assert!(output.stderr.contains("is a folder"), "{output}");
    assert!(script.calls().is_empty(), "{:?}", script.story());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    Rstack::new().args(["status", "--timeline"]).run().expect(2);
}

#[test]
fn the_first_error_of_a_failed_run_stays_the_error() {
    let script = Script::new()
        .on("DescribeStacks", [denied("cloudformation:DescribeStacks")])
        .start();
    let output = script.rstack(["up", "-n", "demo", "--timeline"]).run().expect(1);
    assert!(output.stderr.contains("no timeline is drawn"), "{output}");
}
