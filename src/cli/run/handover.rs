//! What a program and its children are told: variables that the Python package reads.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rstack::release::Pin;
use rstack::settings::{Settings, Target};
use rstack::{Error, Result};

pub(in crate::cli) struct Handover<'a> {
    /// Pinned, and without a name that takes CloudFormation to find.
    pub(in crate::cli) source: String,
    /// What was asked for: what `rstack.advance()` goes on from.
    pub(in crate::cli) requested: Option<Requested>,
    pub(in crate::cli) only: &'a [String],
    pub(in crate::cli) materialise: bool,
    /// The folder whose `sitecustomize` switches imports on.
    pub(in crate::cli) site: &'a Path,
}

impl Handover<'_> {
    /// What leads the package to where these settings lead, from whatever folder.
    pub(in crate::cli) fn variables(self, settings: &Settings) -> Result<Vec<(&'static str, OsString)>> {
        let access = &settings.access;
        let local = if settings.target == Target::Local { "1" } else { "0" };
        let texts = [
            ("RSTACK_REGION", &access.region),
            ("RSTACK_PROFILE", &access.profile),
            ("RSTACK_ENDPOINT_URL", &access.endpoint_url),
            ("RSTACK_ROLE_ARN", &access.role_arn),
        ];
        let mut variables: Vec<(&str, OsString)> = vec![
            ("RSTACK_SOURCE", self.source.into()),
            ("RSTACK_LOCAL", local.into()),
            ("PYTHONPATH", in_front(self.site, env::var_os("PYTHONPATH"))?),
        ];
        variables.extend(
            texts
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.clone()?.into()))),
        );
        if let Some(name) = settings.name() {
            variables.push(("RSTACK_NAME", name.to_string().into()));
        }
        if let Some(file) = &settings.file {
            variables.push(("RSTACK_CONFIG", file.into()));
        }
        if let Some(requested) = self.requested {
            variables.push(("RSTACK_REQUESTED", requested.written()));
        }
        if !self.only.is_empty() {
            variables.push(("RSTACK_ONLY", self.only.join(",").into()));
        }
        if self.materialise {
            variables.push(("RSTACK_MATERIALISE", "1".into()));
        }
        Ok(variables)
    }
}

/// A source as it was typed, by which a process that is pinned finds newer releases.
pub(in crate::cli) struct Requested(String);

impl Requested {
    /// Of options, and of what the environment says where there are none: RSTACK_REQUESTED where a program that imports
    /// from a source has started this one, since RSTACK_SOURCE is pinned then.
    pub(in crate::cli) fn of(
        source: Option<&str>,
        at: Option<&Pin>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        if source.is_none()
            && at.is_none()
            && let Some(requested) = variable("RSTACK_REQUESTED")
        {
            return Self(requested);
        }
        let at = at.map(Pin::to_string).unwrap_or_default();
        let source = source.map(str::to_owned).or_else(|| variable("RSTACK_SOURCE"));
        Self(format!("{at}\n{}", source.unwrap_or_default()))
    }

    fn written(self) -> OsString {
        self.0.into()
    }
}

/// The search path with `folder` first, and only there. An empty one stays none: to Python it would mean the current
/// folder.
fn in_front(folder: &Path, path: Option<OsString>) -> Result<OsString> {
    let path = path.filter(|path| !path.is_empty());
    let others = path.iter().flat_map(env::split_paths).filter(|other| other != folder);
    let folders: Vec<PathBuf> = std::iter::once(folder.to_owned()).chain(others).collect();
    env::join_paths(folders).map_err(|_| {
        Error::refused(format!(
            "the package lies in `{}`, which PYTHONPATH cannot name",
            folder.display()
        ))
        .with_hint("move the virtual environment to a path without `:`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_the_options_else_what_a_parent_was_asked_for() {
        let pin: Pin = "0123abcd".parse().expect("a pin");
        let child = [
            ("RSTACK_SOURCE", "s3://b/prod?at=0f0f0f0f"),
            ("RSTACK_REQUESTED", "\ns3://b/prod"),
        ];
        for (source, at, variables, expected) in [
            (Some("prod"), None, &[][..], "\nprod"),
            (Some("prod"), Some(&pin), &[], "0123abcd\nprod"),
            (None, None, &[], "\n"),
            (None, None, &child[..1], "\ns3://b/prod?at=0f0f0f0f"),
            (None, None, &child, "\ns3://b/prod"),
            (Some("uat"), None, &child, "\nuat"),
        ] {
            let variable = |wanted: &str| {
                let found = variables.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                Requested::of(source, at, variable).0,
                expected,
                "{source:?} {at:?} {variables:?}"
            );
        }
    }

    #[test]
    fn the_folder_comes_first_and_once() {
        for (before, after) in [
            (None, "/s"),
            (Some(""), "/s"),
            (Some("/a:/b"), "/s:/a:/b"),
            (Some("/a:/s:/b"), "/s:/a:/b"),
            (Some("/a::/b"), "/s:/a::/b"),
        ] {
            let path = in_front(Path::new("/s"), before.map(OsString::from)).expect("no colon");
            assert_eq!(path, after, "{before:?}");
        }
        assert!(in_front(Path::new("/with:colon"), None).is_err());
    }
}
