//! The file that `rstack init` writes.

use crate::stack::StackName;

const SAMPLE: &str = include_str!("sample.yaml");

/// Every key explained and switched off, except the name when one is given.
#[must_use]
pub fn sample(name: Option<&StackName>) -> String {
    match name {
        Some(name) => SAMPLE.replace("\n#name: demo\n", &format!("\nname: {name}\n")),
        None => SAMPLE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, parse};

    fn parsed(text: &str) -> Config {
        parse(text, Path::new("rstack.yaml")).expect("a good file")
    }

    /// Switches every key on but those that exclude another one. Prose has one space after its `#`, keys none or more.
    fn switched_on() -> String {
        const EXCLUDED: [&str; 3] = ["  file:", "subnet_group:", "security_groups:"];
        let lines = SAMPLE
            .lines()
            .filter(|line| !EXCLUDED.iter().any(|key| line.contains(key)));
        let lines = lines.map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') || key.starts_with("  ") => key,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_file_as_written_changes_nothing() {
        assert_eq!(parsed(&sample(None)), Config::default());
    }

    #[test]
    fn a_given_name_is_switched_on() {
        let name: StackName = "pr-123".parse().expect("a name");
        let config = Config {
            name: Some(name.clone()),
            ..Config::default()
        };
        assert_eq!(parsed(&sample(Some(&name))), config);
    }

    #[test]
    fn every_key_switched_on_is_valid() {
        let config = parsed(&switched_on());
        assert_eq!(config.stores.dynamodb.units(), Some((5, 5)));
        assert_eq!(config.stores.redis.subnets.len(), 2);
        assert_eq!(config.tags["team"], "research");
        assert_eq!(config.seed.area.as_deref(), Some("main"));
    }

    /// The keys that the reader knows in a mapping, as it names them itself.
    fn known(path: &[&str]) -> Vec<String> {
        let mut text = "zzzzzzzzzzzzzzzz: 1".to_owned();
        for key in path.iter().rev() {
            text = format!("{key}: {{{text}}}");
        }
        let error = parse(&text, Path::new("rstack.yaml")).expect_err("no such key");
        let hint = error.hint.expect("the keys");
        let keys = hint.strip_prefix("keys here are ").expect("a list");
        keys.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn every_key_is_in_the_sample_and_in_the_documentation() {
        let documentation = include_str!("../../docs/configuration.md");
        for path in [
            &[][..],
            &["template"],
            &["stores"],
            &["stores", "s3"],
            &["stores", "dynamodb"],
            &["stores", "redis"],
            &["seed"],
            &["cache"],
        ] {
            for key in known(path) {
                let indent = "  ".repeat(path.len());
                assert!(
                    SAMPLE.contains(&format!("\n#{indent}{key}:")),
                    "{path:?} {key} is in the sample"
                );
                let full = [path, &[key.as_str()]].concat().join(".");
                assert!(documentation.contains(&format!("`{full}`")), "`{full}` is documented");
            }
        }
    }
}
