//! Deserialising text that is checked while it is read: only then does the YAML reader add line and column to the error.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::check;
use crate::stack::StackName;
use crate::trust::PublicKey;

type Check<T> = fn(&str) -> Result<T, String>;

/// Reads one scalar as text, whatever YAML would take it for: `engine_version: 7.1` is no number.
struct Text<T>(Check<T>);

impl<'de, T> DeserializeSeed<'de> for Text<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(|expected| E::custom(format!("{text:?} will not do: {expected}")))
    }
}

/// A key without a value counts as absent.
struct Maybe<T>(Check<T>);

impl<'de, T> Visitor<'de> for Maybe<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Text(self.0).deserialize(deserializer).map(Some)
    }
}

struct List<T>(Check<T>);

impl<'de, T> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Text(self.0))? {
            list.push(item);
        }
        Ok(list)
    }
}

/// Keys that are checked as well as values.
struct Pairs {
    key: Check<String>,
    value: Check<String>,
}

impl<'de> Visitor<'de> for Pairs {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("keys with values")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some(key) = entries.next_key_seed(Text(self.key))? {
            let value = entries.next_value_seed(Text(self.value))?;
            pairs.insert(key, value);
        }
        Ok(pairs)
    }
}

/// `deserialize_with` takes the path of a function and no arguments, so each check needs a function of its own.
macro_rules! deserialize_with {
    ($($name:ident: $check:ident -> Option<$type:ty>;)* [$($list:ident: $item:ident -> Vec<$entry:ty>;)*]) => {
        $(pub(super) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
            deserializer.deserialize_option(Maybe(check::$check))
        })*
        $(pub(super) fn $list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<$entry>, D::Error> {
            deserializer.deserialize_any(List(check::$item))
        })*
    };
}

deserialize_with! {
    area: area -> Option<String>;
    bucket_name: bucket_name -> Option<String>;
    cluster_name: cluster_name -> Option<String>;
    duration: duration -> Option<Duration>;
    endpoint_url: endpoint_url -> Option<String>;
    engine_version: engine_version -> Option<String>;
    filled: filled -> Option<String>;
    instance: instance -> Option<String>;
    node_type: node_type -> Option<String>;
    path: path -> Option<PathBuf>;
    region: region -> Option<String>;
    role_arn: role_arn -> Option<String>;
    size: size -> Option<u64>;
    stack_name: stack_name -> Option<StackName>;
    subnet_group: subnet_group -> Option<String>;
    table_name: table_name -> Option<String>;
    units: units -> Option<u32>;
    vpc: vpc -> Option<String>;
    [
        capabilities: capability -> Vec<String>;
        cidrs: cidr -> Vec<String>;
        public_keys: public_key -> Vec<PublicKey>;
        security_groups: security_group -> Vec<String>;
        subnets: subnet -> Vec<String>;
    ]
}

/// Options whose keys may contradict each other.
pub(super) trait Consistent {
    /// What is wrong with them together.
    fn contradiction(&self) -> Option<&'static str>;
}

struct Options<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Consistent + Default> Visitor<'de> for Options<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("keys with values")
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        let options = T::deserialize(MapAccessDeserializer::new(entries))?;
        match options.contradiction() {
            Some(message) => Err(A::Error::custom(message)),
            None => Ok(options),
        }
    }
}

pub(super) fn consistent<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Consistent + Default,
{
    deserializer.deserialize_any(Options(PhantomData))
}

pub(super) fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_any(Pairs {
        key: check::tag_key,
        value: check::tag_value,
    })
}

pub(super) fn parameters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_any(Pairs {
        key: check::parameter_name,
        value: |text| Ok(text.to_owned()),
    })
}
