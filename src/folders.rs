//! Where rstack keeps things on this machine.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// The local AWS and its data: `RSTACK_HOME`, else rstack's folder in the user's data folder.
///
/// # Errors
/// When no variable says where the user's folders are.
pub fn home(env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
    if let Some(home) = env("RSTACK_HOME") {
        return std::path::absolute(&home).map_err(|e| Error::file("find", home, e));
    }
    if let Some(data) = env("XDG_DATA_HOME") {
        return Ok(PathBuf::from(data).join("rstack"));
    }
    let (mac, other) = ("Library/Application Support/rstack", ".local/share/rstack");
    user(env, mac, other)
}

/// What may be lost at any time: below `RSTACK_HOME`, else rstack's folder in the user's cache folder.
///
/// # Errors
/// When no variable says where the user's folders are.
pub fn cache(env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
    if env("RSTACK_HOME").is_some() {
        return Ok(home(env)?.join("cache"));
    }
    if let Some(cache) = env("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(cache).join("rstack"));
    }
    user(env, "Library/Caches/rstack", ".cache/rstack")
}

fn user(env: &impl Fn(&str) -> Option<String>, mac: &str, other: &str) -> Result<PathBuf> {
    let home = env("HOME").ok_or_else(|| Error::configuration("neither RSTACK_HOME nor HOME is set"))?;
    Ok(PathBuf::from(home).join(if cfg!(target_os = "macos") { mac } else { other }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rstack_home_wins_then_the_users_folders() {
        let with = |variables: &[(&str, &str)]| {
            let variables: Vec<(String, String)> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            move |key: &str| {
                variables
                    .iter()
                    .find(|(name, _)| name == key)
                    .map(|(_, value)| value.clone())
            }
        };
        let all = with(&[
            ("RSTACK_HOME", "/r"),
            ("XDG_CACHE_HOME", "/c"),
            ("XDG_DATA_HOME", "/d"),
            ("HOME", "/h"),
        ]);
        assert_eq!(
            (home(&all).expect("a folder"), cache(&all).expect("a folder")),
            ("/r".into(), "/r/cache".into())
        );
        let xdg = with(&[("XDG_CACHE_HOME", "/c"), ("XDG_DATA_HOME", "/d")]);
        assert_eq!(
            (home(&xdg).expect("a folder"), cache(&xdg).expect("a folder")),
            ("/d/rstack".into(), "/c/rstack".into())
        );
        let plain = with(&[("HOME", "/h")]);
        assert!(
            cache(&plain).expect("a folder").starts_with("/h") && home(&plain).expect("a folder").ends_with("rstack")
        );
        assert!(home(&with(&[])).is_err() && cache(&with(&[])).is_err());
    }
}
