//! The one place that knows what wins: flag, then `RSTACK_*`, then `rstack.yaml`, then the default. Region, profile
//! and credentials that none of them gives fall back to the AWS chain.

mod layers;

use std::path::{Path, PathBuf};

use crate::aws::Access;
use crate::config::{self, Config, TargetName, check};
use crate::error::{Error, Result};
use crate::folders;
use crate::local;
use crate::release::CacheOptions;
use crate::stack::StackName;
use crate::trust::{PublicKey, TrustedKeys};

use self::layers::Layers;

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
    /// Where rstack keeps the local AWS.
    pub home: PathBuf,
    /// What it keeps of what was read.
    pub cache: CacheOptions,
    pub local: local::Options,
    pub config: Config,
    /// Where `config` was read from; absolute. None without a file.
    pub file: Option<PathBuf>,
    /// The file that `--config` named, as it did.
    pub config_file: Option<PathBuf>,
    name: Option<StackName>,
}

impl Settings {
    /// Reads the configuration file and resolves everything: the file that `--config` or RSTACK_CONFIG names has to
    /// exist, `./rstack.yaml` may be absent.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong, and as [`Settings::resolve`].
    pub fn load(flags: Flags, env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let usual = Path::new(config::FILE_NAME);
        let (config, file) = match named_config(&flags, &env) {
            Some(path) => (config::read(&path)?, Some(path)),
            None => (config::read_if_there(usual)?, usual.exists().then(|| usual.to_owned())),
        };
        let absolute = |path: PathBuf| std::path::absolute(&path).map_err(|e| Error::file("find", path, e));
        Ok(Self {
            file: file.map(absolute).transpose()?,
            ..Self::resolve(flags, env, config)?
        })
    }

    /// Resolves `flags` over the process environment (read through `env`) over `config`.
    ///
    /// # Errors
    /// Usage errors for options that contradict each other, and for values that AWS would refuse.
    pub fn resolve(flags: Flags, env: impl Fn(&str) -> Option<String>, mut config: Config) -> Result<Self> {
        let env = |key: &str| env(key).filter(|value| !value.is_empty());
        let target = target(&flags, &env, &config)?;
        let name = Layers(flags.name, "--name", "RSTACK_NAME").pick(&env, config.name.clone(), check::stack_name)?;
        let region = Layers(flags.region, "--region", "RSTACK_REGION");
        let profile = Layers(flags.profile, "--profile", "RSTACK_PROFILE");
        let endpoint_url = Layers(flags.endpoint_url, "--endpoint-url", "RSTACK_ENDPOINT_URL");
        let role_arn = Layers(flags.role_arn, "--role-arn", "RSTACK_ROLE_ARN");
        let mut access = Access {
            region: region.pick(&env, config.region.clone(), check::region)?,
            ..Access::default()
        };
        // What leads to another AWS is nothing to the local one, and must not lead a command there by accident.
        if target == Target::Aws {
            access.profile = profile.pick(&env, config.profile.clone(), check::filled)?;
            access.endpoint_url = endpoint_url.pick(&env, config.endpoint_url.clone(), check::endpoint_url)?;
            access.role_arn = role_arn.pick(&env, config.role_arn.clone(), check::role_arn)?;
        }
        // Each command puts its own flags over these.
        config.ttl = Layers::without_flag("RSTACK_TTL").pick(&env, config.ttl, check::duration)?;
        config.timeout = Layers::without_flag("RSTACK_TIMEOUT").pick(&env, config.timeout, check::duration)?;
        config.on_failure =
            Layers::without_flag("RSTACK_ON_FAILURE").pick(&env, config.on_failure, check::on_failure)?;
        config.seed.area = Layers::without_flag("RSTACK_AREA").pick(&env, config.seed.area, check::area)?;
        let key = Layers::without_flag("RSTACK_SIGNING_KEY");
        config.signing_key = key.pick(&env, config.signing_key, |path| Ok(PathBuf::from(path)))?;
        let keys = Layers::without_flag("RSTACK_TRUSTED_KEYS");
        let keys = keys.pick(&env, Some(config.trusted_keys), trusted_keys)?;
        config.trusted_keys = keys.unwrap_or_default();
        let bucket = Layers::without_flag("RSTACK_TEMPLATE_BUCKET");
        config.template.bucket = bucket.pick(&env, config.template.bucket, check::bucket_name)?;
        let home = folders::home(&env)?;
        let cache = cache(&env, &config.cache)?;
        Ok(Self {
            local: local::Options {
                home: home.clone(),
                python: env("RSTACK_PYTHON").map(PathBuf::from),
                redis_server: env("RSTACK_REDIS_SERVER").map(PathBuf::from),
            },
            target,
            access,
            home,
            cache,
            name,
            config,
            file: None,
            config_file: flags.config,
        })
    }

    /// Whose releases are read; everyone's without keys.
    #[must_use]
    pub fn trusted(&self) -> TrustedKeys {
        self.config.trusted_keys.clone().into()
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

/// The configuration file that was asked for, by option or variable.
#[must_use]
pub fn named_config(flags: &Flags, env: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let variable = || env("RSTACK_CONFIG").filter(|path| !path.is_empty());
    flags.config.clone().or_else(|| variable().map(PathBuf::from))
}

/// Only options contradict each other: naming another AWS on the command line outranks a local target in the
/// environment or the file, while a profile or endpoint set there for other days does not outrank `--local`.
fn target(flags: &Flags, env: &impl Fn(&str) -> Option<String>, config: &Config) -> Result<Target> {
    let elsewhere = [
        (flags.profile.is_some(), "--profile"),
        (flags.endpoint_url.is_some(), "--endpoint-url"),
        (flags.role_arn.is_some(), "--role-arn"),
    ];
    let elsewhere = elsewhere
        .into_iter()
        .find_map(|(given, option)| given.then_some(option));
    let of = |local: bool| if local { Target::Local } else { Target::Aws };
    // Checked even where a flag decides: a wrong value is a slip either way.
    let variable = Layers::without_flag("RSTACK_LOCAL").pick(env, None, check::switch)?;
    Ok(match (flags.local, elsewhere) {
        (true, Some(option)) => {
            return Err(Error::usage(format!("`--local` and `{option}` contradict each other"))
                .with_hint(format!("leave out `{option}` to use the AWS on this machine")));
        }
        (true, None) => Target::Local,
        (false, Some(_)) => Target::Aws,
        (false, None) => of(variable.unwrap_or(config.target == Some(TargetName::Local))),
    })
}

/// A variable that is set has to name a key: taken as none, a slip would switch verification off.
fn trusted_keys(text: &str) -> std::result::Result<Vec<PublicKey>, String> {
    match check::public_keys(text)? {
        keys if keys.is_empty() => Err("it is set and names no key".to_owned()),
        keys => Ok(keys),
    }
}

fn cache(env: &impl Fn(&str) -> Option<String>, config: &config::Cache) -> Result<CacheOptions> {
    let limit = Layers::without_flag("RSTACK_CACHE_SIZE").pick(env, config.size, check::size)?;
    let mut options = match env("RSTACK_CACHE") {
        Some(off) if off == "off" => CacheOptions::off(),
        Some(folder) => {
            CacheOptions::in_folder(std::path::absolute(&folder).map_err(|e| Error::file("find", folder, e))?)
        }
        None => CacheOptions::in_folder(folders::cache(env)?),
    };
    options.limit = limit.unwrap_or(options.limit);
    Ok(options)
}

#[cfg(test)]
mod tests;
