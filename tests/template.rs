//! What the presets say: the files in `templates/`, and what cfn-lint thinks of them.

use std::path::{Path, PathBuf};

use rstack::config::{self, Config, Stores};
use rstack::template::{Format, Preset, Template};

/// Each file with the preset and the options that it shows.
const GOLDEN: [(&str, Preset, &str); 4] = [
    ("default", Preset::Default, ""),
    ("default-tls", Preset::Default, "stores: {redis: {tls: true}}"),
    ("default-options", Preset::Default, OPTIONS),
    ("article", Preset::Article, ""),
];

/// Every option that changes the template and does not exclude another one.
const OPTIONS: &str = "
stores:
  s3: {bucket_name: team-code}
  dynamodb: {table_name: team-code, billing: provisioned, read_units: 10, write_units: 2}
  redis:
    cluster_name: team-code
    node_type: cache.t4g.small
    engine_version: 6.2
    vpc: vpc-0123456789abcdef0
    subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    allowed_cidrs: [10.0.0.0/16, 'fd00::/8']
";

fn stores(yaml: &str) -> Stores {
    let config: Config = config::parse(yaml, Path::new("rstack.yaml")).expect("valid configuration");
    config.stores
}

fn template(preset: Preset, yaml: &str) -> Template {
    preset.template(&stores(yaml))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

/// `RSTACK_UPDATE_TEMPLATES=1 cargo test` writes the files instead.
#[test]
fn the_files_in_templates_are_what_the_presets_print() {
    let update = std::env::var_os("RSTACK_UPDATE_TEMPLATES").is_some();
    let mut expected = Vec::new();
    for (name, preset, options) in GOLDEN {
        for (format, extension) in [(Format::Yaml, "yaml"), (Format::Json, "json")] {
            let path = folder().join(format!("{name}.{extension}"));
            let text = template(preset, options).to_text(format).expect("written");
            if update {
                std::fs::write(&path, &text).expect("written");
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(kept, text, "{} (RSTACK_UPDATE_TEMPLATES=1 writes it)", path.display());
            expected.push(path);
        }
    }
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .expect("listed")
        .map(|e| e.expect("entry").path())
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "no file is left over");
}

#[test]
fn yaml_and_json_say_the_same() {
    for (name, preset, options) in GOLDEN {
        let template = template(preset, options);
        let yaml: serde_json::Value = serde_yaml::from_str(&template.to_yaml().expect("YAML")).expect("read");
        let json: serde_json::Value = serde_json::from_str(&template.to_json().expect("JSON")).expect("read");
        assert_eq!(yaml, json, "{name}");
    }
}
