//! Large releases, published and pulled by the binary, against a local AWS of their own: the shared one keeps its memory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tempfile::TempDir;

use crate::support::environment;
use crate::support::local::LocalAws;

/// Publishes a folder without plain files, pulls it from the environment and from S3, and compares.
fn there_and_back(tree: &Path, files: usize) {
    let local = LocalAws::own();
    environment::made(&local, "large");
    let dir = tree.to_str().expect("UTF-8");
    local.done(["seed", dir, "-n", "large", "--no-plain"]);
    for source in ["env:large/main", "s3://large-bucket/main"] {
        let pulled = TempDir::new().expect("a folder");
        let target = pulled.path().join("code");
        local.done(["pull", source, target.to_str().expect("UTF-8"), "-n", "large"]);
        let mut compared = 0;
        for folder in fs::read_dir(tree).expect("folders") {
            let folder = folder.expect("a folder").path();
            for file in fs::read_dir(&folder).expect("files") {
                let file = file.expect("a file").path();
                let path = file.strip_prefix(tree).expect("below");
                assert!(same(&file, &target.join(path)), "{} from {source}", path.display());
                compared += 1;
            }
        }
        assert_eq!(compared, files, "{source}");
    }
}

fn same(one: &Path, other: &Path) -> bool {
    fs::read(one).expect("a file") == fs::read(other).expect("a file")
}

#[test]
#[ignore = "takes minutes; `make test-all` runs it"]
fn a_hundred_thousand_small_files_come_back_byte_for_byte() {
    let tree = TempDir::new().expect("a folder");
    for folder in 0..100 {
        let path = tree.path().join(format!("package{folder:02}"));
        fs::create_dir(&path).expect("a folder");
        for number in 0..1000 {
            let content = format!(
                "\"\"\"Module {number} of {folder}.\"\"\"\n\nVALUE = {}\n",
                folder * number
            );
            fs::write(path.join(format!("module{number:03}.py")), content).expect("written");
        }
    }
    there_and_back(tree.path(), 100_000);
}

#[test]
#[ignore = "takes minutes; `make test-all` runs it"]
fn a_single_file_of_200_megabytes_comes_back_byte_for_byte() {
    let tree = TempDir::new().expect("a folder");
    fs::create_dir(tree.path().join("data")).expect("a folder");
    let mut noise = File::open("/dev/urandom").expect("noise").take(200_000_000);
    let mut file = File::create(tree.path().join("data/weights.bin")).expect("a file");
    io::copy(&mut noise, &mut file).expect("written");
    there_and_back(tree.path(), 1);
}
