//! The commands of rstack that hints name.

use rstack::settings::{Settings, Target};
pub(crate) use rstack::shell::quote;
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

/// Commands on an area, which the library names without knowing how the environment was found.
const ON_AREAS: [&str; 3] = ["prune", "rollback", "verify"];

/// A hint with commands that can be typed as they stand: with the options that lead to the same environment.
pub(crate) fn completed(hint: &str, settings: &Settings) -> String {
    let Some(name) = settings.name() else {
        return hint.to_owned();
    };
    ON_AREAS.iter().fold(hint.to_owned(), |hint, verb| {
        let complete = format!("`{} ", command_line(settings, verb, name));
        hint.replace(&format!("`rstack {verb} "), &complete)
    })
}
