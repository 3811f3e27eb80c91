//! The one place that knows what wins: flag, then `RSTACK_*`, then `rstack.yaml`, then the default. Region, profile
//! and credentials that none of them gives fall back to the AWS chain.

use std::path::PathBuf;

use crate::aws::Access;
use crate::config::{Config, TargetName};
use crate::error::{Error, Result};
use crate::local;
use crate::stack::StackName;

/// The global options as they were typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub name: Option<String>,
    pub config: Option<PathBuf>,
    pub local: bool,
    pub region: Option<String>,
    pub profile: Option<String>,
    pub endpoint_url: Option<String>,
    pub role_arn: Option<String>,
}

/// Which AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Aws,
    /// The one that rstack starts on this machine.
    Local,
}

/// Everything that is not an argument of one command, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    pub target: Target,
    /// Complete for `Target::Aws`; for `Target::Local` the running local AWS fills it in.
    pub access: Access,
    /// Where rstack keeps the local AWS and its caches.
    pub home: PathBuf,
    pub local: local::Options,
    pub config: Config,
    name: Option<StackName>,
}

impl Settings {
    /// Resolves `flags` over the process environment (read through `env`) over `config`.
    ///
    /// # Errors
    /// Usage errors for options that contradict each other and for names that AWS would refuse.
    pub fn resolve(flags: Flags, env: impl Fn(&str) -> Option<String>, config: Config) -> Result<Self> {
        let env = |key: &str| env(key).filter(|value| !value.is_empty());
        let local_by_env = match env("RSTACK_LOCAL").as_deref() {
            None | Some("0" | "false" | "no") => false,
            Some("1" | "true" | "yes") => true,
            Some(other) => {
                return Err(Error::configuration(format!("RSTACK_LOCAL is {other:?}")).with_hint("set it to 1 or 0"));
            }
        };
        if flags.local {
            for (given, option) in [
                (flags.profile.is_some(), "--profile"),
                (flags.endpoint_url.is_some(), "--endpoint-url"),
                (flags.role_arn.is_some(), "--role-arn"),
            ] {
                if given {
                    return Err(Error::usage(format!("`--local` and `{option}` contradict each other"))
                        .with_hint(format!("leave out `{option}` to use the AWS on this machine")));
                }
            }
        }
        // Naming another AWS on the command line outranks a local target in the environment or the file.
        let elsewhere = flags.profile.is_some() || flags.endpoint_url.is_some() || flags.role_arn.is_some();
        let local = flags.local || (!elsewhere && (local_by_env || config.target == Some(TargetName::Local)));
        let name = match flags.name.or_else(|| env("RSTACK_NAME")) {
            Some(name) => Some(name.parse()?),
            None => config.name.clone(),
        };
        let access = Access {
            region: flags
                .region
                .or_else(|| env("RSTACK_REGION"))
                .or_else(|| config.region.clone()),
            profile: flags
                .profile
                .or_else(|| env("RSTACK_PROFILE"))
                .or_else(|| config.profile.clone()),
            endpoint_url: flags.endpoint_url.or_else(|| env("RSTACK_ENDPOINT_URL")),
            role_arn: flags
                .role_arn
                .or_else(|| env("RSTACK_ROLE_ARN"))
                .or_else(|| config.role_arn.clone()),
            credentials: None,
        };
        let home = home(&env)?;
        Ok(Self {
            local: local::Options {
                home: home.clone(),
                python: env("RSTACK_PYTHON").map(PathBuf::from),
                redis_server: env("RSTACK_REDIS_SERVER").map(PathBuf::from),
            },
            target: if local { Target::Local } else { Target::Aws },
            access,
            home,
            name,
            config,
        })
    }

    /// The environment's name, if one was given anywhere.
    #[must_use]
    pub fn name(&self) -> Option<&StackName> {
        self.name.as_ref()
    }

    /// The environment's name.
    ///
    /// # Errors
    /// When none was given anywhere.
    pub fn require_name(&self) -> Result<&StackName> {
        self.name.as_ref().ok_or_else(|| {
            Error::usage("which environment? no name is given")
                .with_hint("use `--name NAME`, RSTACK_NAME, or `name: NAME` in rstack.yaml")
        })
    }
}

fn home(env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
    if let Some(home) = env("RSTACK_HOME") {
        return std::path::absolute(&home).map_err(|e| Error::file("find", home, e));
    }
    if let Some(data) = env("XDG_DATA_HOME") {
        return Ok(PathBuf::from(data).join("rstack"));
    }
    let home = env("HOME").ok_or_else(|| Error::configuration("neither RSTACK_HOME nor HOME is set"))?;
    let home = PathBuf::from(home);
    Ok(if cfg!(target_os = "macos") {
        home.join("Library/Application Support/rstack")
    } else {
        home.join(".local/share/rstack")
    })
}
