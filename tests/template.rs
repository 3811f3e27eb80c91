//! What the presets say: the files in `templates/`, and what cfn-lint thinks of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rstack::config::{self, Config, Stores};
use rstack::stack::{Outputs, output_key};
use rstack::template::{Format, Preset, Template};
use tempfile::TempDir;

use crate::support::Rstack;
use crate::support::local::LocalAws;
use crate::support::python::venv;

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

#[test]
fn the_same_options_give_the_same_bytes() {
    for (name, preset, options) in GOLDEN {
        let text = || template(preset, options).to_yaml().expect("YAML");
        assert_eq!(text(), text(), "{name}");
    }
}

#[test]
fn numbers_are_numbers_and_the_articles_security_group_is_nowhere() {
    let text = template(Preset::Article, "").to_json().expect("JSON");
    assert!(!text.contains("sg-"), "{text}");
    let article: serde_json::Value = serde_json::from_str(&text).expect("read");
    for (parameter, default) in [
        ("ReadCapacityUnits", 5),
        ("WriteCapacityUnits", 5),
        ("NumCacheNodes", 1),
    ] {
        assert_eq!(article["Parameters"][parameter]["Default"], default, "{parameter}");
        assert_eq!(article["Parameters"][parameter]["Type"], "Number", "{parameter}");
    }
    let options: serde_json::Value =
        serde_json::from_str(&template(Preset::Default, OPTIONS).to_json().expect("JSON")).expect("read");
    let table = &options["Resources"]["Table"]["Properties"];
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 10);
    assert_eq!(options["Resources"]["Redis"]["Properties"]["NumCacheNodes"], 1);
}

#[test]
fn existing_groups_are_used_as_they_are() {
    let options = "stores: {redis: {subnet_group: team, security_groups: [sg-01234567, sg-89abcdef]}}";
    let text = template(Preset::Default, options).to_json().expect("JSON");
    let template: serde_json::Value = serde_json::from_str(&text).expect("read");
    let redis = &template["Resources"]["Redis"]["Properties"];
    assert_eq!(redis["CacheSubnetGroupName"], "team");
    assert_eq!(
        redis["VpcSecurityGroupIds"],
        serde_json::json!(["sg-01234567", "sg-89abcdef"])
    );
    for made in ["RedisSubnets", "RedisSecurityGroup", "RedisClients"] {
        assert!(template["Resources"].get(made).is_none(), "{made}");
    }
}

/// Informational rules included; without a network, since cfn-lint brings the schemas of all regions.
#[test]
fn cfn_lint_has_nothing_to_say() {
    let output = venv(&["cfn-lint==1.58.0"])
        .command("cfn-lint")
        .args(["--include-checks", "I", "--non-zero-exit-code", "informational", "--"])
        .args(
            GOLDEN
                .iter()
                .flat_map(|(name, ..)| ["yaml", "json"].map(|e| folder().join(format!("{name}.{e}")))),
        )
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.trim().is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_command_prints_the_files() {
    for (args, file) in [
        (&["template"][..], "default.yaml"),
        (&["template", "--format", "json"], "default.json"),
        (&["template", "--preset", "article"], "article.yaml"),
        (&["template", "--preset", "article", "--format", "json"], "article.json"),
    ] {
        let printed = Rstack::new().args(args).run().expect(0);
        assert_eq!(
            printed.stdout,
            std::fs::read_to_string(folder().join(file)).expect("the file"),
            "{args:?}"
        );
        assert_eq!(printed.stderr, "", "{args:?}");
    }
}

#[test]
fn the_command_honours_rstack_yaml() {
    let dir = TempDir::new().expect("a temporary folder");
    let yaml = dir.path().join("rstack.yaml");
    let template = |more: &[&str]| Rstack::new().args(["template"]).args(more).dir(dir.path()).run();

    std::fs::write(&yaml, OPTIONS).expect("a file");
    let expected = std::fs::read_to_string(folder().join("default-options.yaml")).expect("the file");
    assert_eq!(template(&[]).expect(0).stdout, expected);
    let article = template(&["--preset", "article"]).expect(0);
    assert!(
        article.stderr.contains("does not change the preset `article`"),
        "{}",
        article.stderr
    );

    std::fs::write(&yaml, "template: {preset: article}").expect("a file");
    assert!(template(&[]).expect(0).stdout.contains("kinyu-demo-src"));
    assert!(
        !template(&["--preset", "default"])
            .expect(0)
            .stdout
            .contains("kinyu-demo-src")
    );

    std::fs::write(&yaml, "template: {file: own.yaml}").expect("a file");
    std::fs::write(dir.path().join("own.yaml"), "Resources: {}\r\n").expect("a file");
    assert_eq!(template(&[]).expect(0).stdout, "Resources: {}\r\n");
    template(&["--format", "json"]).expect(2);
    assert!(
        template(&["--format", "json", "--preset", "default"])
            .expect(0)
            .stdout
            .starts_with('{')
    );
}

#[test]
fn as_json_the_template_is_in_the_result() {
    let result = Rstack::new()
        .args(["template", "--output", "json"])
        .run()
        .expect(0)
        .json();
    assert_eq!(
        (&result["type"], &result["command"]),
        (&"result".into(), &"template".into())
    );
    let body = result["data"]["template"].as_str().expect("text");
    assert_eq!(
        body,
        std::fs::read_to_string(folder().join("default.yaml")).expect("the file")
    );
}

/// Makes each stack on the local AWS, prints its outputs, takes it down.
const DEPLOY: &str = r#"
import boto3, json, os, pathlib, time
ec2 = boto3.client("ec2")
vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
subnets = [s["SubnetId"] for s in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]]
cloudformation = boto3.client("cloudformation")
found = {}
for path in sorted(pathlib.Path(os.environ["TEMPLATES"]).iterdir()):
    body = path.read_text()
    for example, real in zip(["vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], [vpc, *subnets]):
        body = body.replace(example, real)
    name = path.name.replace(".", "-")
    cloudformation.create_stack(StackName=name, TemplateBody=body)
    deadline = time.time() + 30
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS") or time.time() > deadline:
            break
        time.sleep(0.05)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
    found[path.name] = {"status": stack["StackStatus"], **outputs}
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
print(json.dumps(found))
"#;

#[test]
fn every_template_makes_a_stack_whose_outputs_lead_to_the_stores() {
    let local = LocalAws::own();
    let mut variables = local.variables().to_vec();
    variables.push(("TEMPLATES".to_owned(), folder().display().to_string()));
    let printed = venv(&["boto3==1.43.11", "redis==7.1.0"]).python(DEPLOY, &variables);
    let stacks: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(stacks.len(), 2 * GOLDEN.len());
    for (file, found) in stacks {
        assert_eq!(found["status"], "CREATE_COMPLETE", "{file}: {found:?}");
        let outputs: Outputs = found.into_iter().collect();
        let endpoints = outputs.endpoints().expect("complete");
        assert_eq!(endpoints.redis.tls, file.contains("tls"), "{file}");
        let url = local.redis_url().trim_start_matches("redis://").trim_end_matches('/');
        assert_eq!(
            format!("{}:{}", endpoints.redis.address, endpoints.redis.port),
            url,
            "{file}"
        );
        assert_eq!(
            outputs.get(output_key::REDIS_AUTH_SECRET).is_some(),
            file.contains("tls"),
            "{file}"
        );
        let group = outputs
            .get(output_key::SECURITY_GROUP)
            .is_some_and(|id| id.starts_with("sg-"));
        assert_eq!(group, file.starts_with("default"), "{file}");
    }
}
