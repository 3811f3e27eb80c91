//! What wins, by tables.

use proptest::prelude::*;

use super::*;

fn resolve(flags: Flags, variables: &[(&str, &str)], file: &str) -> Result<Settings> {
    let config = config::parse(file, Path::new("rstack.yaml"))?;
    let env = |key: &str| {
        let found = variables.iter().find(|(name, _)| *name == key);
        found
            .map(|(_, value)| (*value).to_owned())
            .or_else(|| (key == "HOME").then(|| "/home/x".to_owned()))
    };
    Settings::resolve(flags, env, config)
}

fn local() -> Flags {
    Flags {
        local: true,
        ..Flags::default()
    }
}

fn profile() -> Flags {
    Flags {
        profile: Some("p".to_owned()),
        ..Flags::default()
    }
}

#[test]
fn which_aws() {
    use Target::{Aws, Local};
    let one: &[(&str, &str)] = &[("RSTACK_LOCAL", "1")];
    let zero: &[(&str, &str)] = &[("RSTACK_LOCAL", "0")];
    let empty: &[(&str, &str)] = &[("RSTACK_LOCAL", "")];
    let other: &[(&str, &str)] = &[("RSTACK_PROFILE", "q"), ("RSTACK_ENDPOINT_URL", "http://h")];
    let (here, there) = ("target: local", "target: aws");
    let rows = [
        (Flags::default(), &[][..], "", Aws),
        (Flags::default(), &[], here, Local),
        (Flags::default(), one, "", Local),
        (Flags::default(), one, there, Local),
        (Flags::default(), zero, here, Aws),
        (Flags::default(), empty, here, Local),
        (Flags::default(), other, here, Local),
        (local(), zero, there, Local),
        (local(), other, "profile: x", Local),
        (profile(), one, here, Aws),
        (profile(), &[], here, Aws),
    ];
    for (flags, variables, file, expected) in rows {
        let typed = format!("{flags:?} {variables:?} {file:?}");
        assert_eq!(
            resolve(flags, variables, file).expect("no contradiction").target,
            expected,
            "{typed}"
        );
    }
}

#[test]
fn nothing_that_leads_elsewhere_reaches_the_local_aws() {
    let file = "{profile: f, role_arn: 'arn:aws:iam::123456789012:role/r', region: eu-west-2}";
    let settings = resolve(local(), &[("RSTACK_ENDPOINT_URL", "http://elsewhere")], file).expect("resolved");
    let Access {
        region,
        profile,
        endpoint_url,
        role_arn,
        ..
    } = settings.access;
    assert_eq!((profile, endpoint_url, role_arn), (None, None, None));
    assert_eq!(region.as_deref(), Some("eu-west-2"));
}

#[test]
fn options_that_contradict_each_other_are_usage_errors() {
    let some = || Some("http://x".to_owned());
    for (option, flags) in [
        (
            "--profile",
            Flags {
                profile: some(),
                ..local()
            },
        ),
        (
            "--endpoint-url",
            Flags {
                endpoint_url: some(),
                ..local()
            },
        ),
        (
            "--role-arn",
            Flags {
                role_arn: some(),
                ..local()
            },
        ),
    ] {
        let error = resolve(flags, &[], "").expect_err("a contradiction");
        assert_eq!(
            error.to_string(),
            format!("`--local` and `{option}` contradict each other")
        );
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn a_wrong_value_names_where_it_comes_from() {
    let typed = Flags {
        region: Some("here".to_owned()),
        ..Flags::default()
    };
    let rows = [
        (typed, &[][..], "`--region` cannot be \"here\": expected "),
        (
            Flags::default(),
            &[("RSTACK_REGION", "x")][..],
            "`RSTACK_REGION` cannot be \"x\": expected ",
        ),
        (
            Flags::default(),
            &[("RSTACK_LOCAL", "maybe")],
            "`RSTACK_LOCAL` cannot be \"maybe\": expected ",
        ),
        (
            local(),
            &[("RSTACK_LOCAL", "maybe")],
            "`RSTACK_LOCAL` cannot be \"maybe\": expected ",
        ),
        (
            Flags::default(),
            &[("RSTACK_TTL", "soon")],
            "`RSTACK_TTL` cannot be \"soon\": expected ",
        ),
        (
            Flags::default(),
            &[("RSTACK_AREA", "a//b")],
            "`RSTACK_AREA` cannot be \"a//b\": expected ",
        ),
        (
            Flags::default(),
            &[("RSTACK_ON_FAILURE", "cry")],
            "`RSTACK_ON_FAILURE` cannot be \"cry\": expected ",
        ),
    ];
    for (flags, variables, message) in rows {
        let error = resolve(flags, variables, "").expect_err(message);
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint.is_some(), "{message}");
    }
}

#[test]
fn without_a_name_the_error_says_how_to_give_one() {
    let error = resolve(Flags::default(), &[], "")
        .expect("resolved")
        .require_name()
        .expect_err("no name")
        .hint;
    assert!(error.is_some_and(|hint| hint.contains("--name NAME")));
}

/// Absent, empty (variables only), or one of a few values.
fn layer() -> impl Strategy<Value = Option<usize>> {
    prop::option::of(0..3_usize)
}

proptest! {
    /// Whatever the layers hold, the highest that holds something wins, for each setting by itself.
    #[test]
    fn the_highest_layer_wins(flag in layer(), variable in layer(), empty in any::<bool>(), file in layer()) {
        let names = ["alpha", "beta", "gamma"];
        let regions = ["eu-west-1", "us-east-1", "ap-south-1"];
        let (name, region) = (|i: usize| names[i], |i: usize| regions[i]);
        let flags = Flags {
            name: flag.map(|i| name(i).to_owned()),
            region: flag.map(|i| region(i).to_owned()),
            ..Flags::default()
        };
        let mut variables = Vec::new();
        if let Some(i) = variable {
            variables.extend([("RSTACK_NAME", name(i)), ("RSTACK_REGION", region(i))]);
        } else if empty {
            variables.extend([("RSTACK_NAME", ""), ("RSTACK_REGION", "")]);
        }
        let text = file.map_or_else(String::new, |i| format!("name: {}\nregion: {}\n", name(i), region(i)));
        let settings = resolve(flags, &variables, &text).expect("good values");
        let winner = flag.or(variable).or(file);
        prop_assert_eq!(settings.name().map(StackName::as_str), winner.map(name));
        prop_assert_eq!(settings.access.region.as_deref(), winner.map(region));
    }

    /// What commands take from the configuration has the variables already in it.
    #[test]
    fn variables_win_over_the_file(variable in prop::option::of(1..99_u64), file in prop::option::of(1..99_u64)) {
        let hours = |n: u64| format!("{n}h");
        let value = variable.map(hours);
        let variables: Vec<_> = value.iter().flat_map(|v| [("RSTACK_TTL", v.as_str()), ("RSTACK_TIMEOUT", v)]).collect();
        let text = file.map_or_else(String::new, |n| format!("{{ttl: {n}h, timeout: {n}h}}"));
        let config = resolve(Flags::default(), &variables, &text).expect("good values").config;
        let winner = variable.or(file).map(std::time::Duration::from_hours);
        prop_assert_eq!((config.ttl, config.timeout), (winner, winner));
    }
}
