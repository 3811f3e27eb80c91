//! What a POSIX shell reads: words, and the commands that hints name.

use rstack::settings::{Settings, Target};
use rstack::stack::StackName;

/// `rstack VERB --name NAME` with the options that lead to the same AWS and the same configuration.
pub(crate) fn command_line(settings: &Settings, verb: &str, name: &StackName) -> String {
    let mut words = vec![
        "rstack".to_owned(),
        verb.to_owned(),
        "--name".to_owned(),
        name.to_string(),
    ];
    let access = &settings.access;
    if settings.target == Target::Local {
        words.push("--local".to_owned());
    }
    for (option, value) in [
        ("--region", &access.region),
        ("--profile", &access.profile),
        ("--endpoint-url", &access.endpoint_url),
        ("--role-arn", &access.role_arn),
    ] {
        if let Some(value) = value {
            words.extend([option.to_owned(), quote(value)]);
        }
    }
    if let Some(file) = &settings.config_file {
        words.extend(["--config".to_owned(), quote(&file.display().to_string())]);
    }
    words.join(" ")
}

/// A word, in quotes only where it has to be.
pub(crate) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_when_they_need_it() {
        assert_eq!(quote("eu-west-1"), "eu-west-1");
        assert_eq!(
            quote("arn:aws:iam::123456789012:role/a+b"),
            "arn:aws:iam::123456789012:role/a+b"
        );
        assert_eq!(quote("it's mine"), r"'it'\''s mine'");
        assert_eq!(quote(""), "''");
    }
}
