//! For those who read what is in the stores, and those who publish to them.
//!
//! IAM guards S3, DynamoDB and the secret with Redis's password. It knows nothing of what Redis holds.

use super::document::{Policy, Statement};
use super::place::Place;
use crate::publish::{AREAS_KEY, Area};
use crate::store::{PARTS_PREFIX, PROBE_KEY};

/// Everyone may publish to the others unless told.
const PRODUCTION: &str = "prod";

/// Where an environment keeps things.
#[derive(Debug, Clone)]
pub struct Holdings<'a> {
    pub place: &'a Place,
    pub stack: &'a str,
    pub bucket: &'a str,
    pub table: &'a str,
    /// ARN of the secret with Redis's password; only with TLS.
    pub secret: Option<&'a str>,
}

/// Which areas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Areas {
    All,
    /// All but `prod`, which may be read; what a publisher gets unless told.
    AllButProduction,
    Only(Vec<Area>),
}

impl Areas {
    fn keys(&self) -> Option<Vec<String>> {
        match self {
            Self::All | Self::AllButProduction => None,
            Self::Only(areas) => Some(areas.iter().map(all_of).collect()),
        }
    }
}

/// Every key of an area. What would be a pattern or a variable of IAM in its name stands for itself.
fn all_of(area: &Area) -> String {
    let mut keys = String::new();
    for character in area.as_str().chars() {
        match character {
            '*' | '?' | '$' => keys.extend(['$', '{', character, '}']),
            _ => keys.push(character),
        }
    }
    keys + "/*"
}

/// Reads files and releases: gets, and lists in S3; no Scan, which would read all areas.
#[must_use]
pub fn reader(of: &Holdings<'_>, areas: &Areas) -> Policy {
    let list = Statement::allow("ListFiles", &["s3:ListBucket"], vec![of.place.s3(of.bucket)]);
    let get = &["dynamodb:BatchGetItem"];
    let items = Statement::allow("ReadItems", get, vec![of.place.table(of.table)]);
    let (list, items) = match areas.keys() {
        None => (list, items),
        Some(keys) => (
            list.when("StringLike", "s3:prefix", keys.clone()),
            items.only_keys(with_shared(keys, &[])),
        ),
    };
    let mut statements = vec![
        find(of),
        list,
        Statement::allow("ReadFiles", &["s3:GetObject"], objects(of, areas, &[])),
        items,
    ];
    statements.extend(password(of));
    Policy::new(statements)
}

/// Publishes to areas, and reads them. Listing is not narrowed to them: without it S3 does not tell a publisher that
/// something is not there yet.
#[must_use]
pub fn publisher(of: &Holdings<'_>, areas: &Areas) -> Policy {
    let bucket = vec![of.place.s3(of.bucket)];
    let table = vec![of.place.table(of.table)];
    let files = &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
    let items = &["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem"];
    let items = Statement::allow("PublishItems", items, table.clone());
    let mut statements = vec![
        find(of),
        Statement::allow("ListFiles", &["s3:ListBucket"], bucket),
        Statement::allow("PublishFiles", files, objects(of, areas, &[AREAS_KEY])),
    ];
    match areas.keys() {
        // `verify` and `prune` look for what nothing names. A scan cannot be narrowed to areas.
        None => statements.extend([items, Statement::allow("ListItems", &["dynamodb:Scan"], table.clone())]),
        Some(keys) => statements.push(items.only_keys(with_shared(keys, &[AREAS_KEY]))),
    }
    if *areas == Areas::AllButProduction {
        let keys = format!("{PRODUCTION}/*");
        statements.push(Statement::deny(
            "KeepProductionFiles",
            &["s3:DeleteObject", "s3:PutObject"],
            vec![of.place.s3(&format!("{}/{keys}", of.bucket))],
        ));
        let writes = &["dynamodb:BatchWriteItem", "dynamodb:PutItem"];
        let keep = Statement::deny("KeepProductionItems", writes, table);
        statements.push(keep.when("ForAnyValue:StringLike", "dynamodb:LeadingKeys", vec![keys]));
    }
    statements.extend(password(of));
    Policy::new(statements)
}

/// The stack's outputs say where the stores are.
fn find(of: &Holdings<'_>) -> Statement {
    let stack = vec![of.place.stack(of.stack)];
    Statement::allow("FindStores", &["cloudformation:DescribeStacks"], stack)
}

fn password(of: &Holdings<'_>) -> Option<Statement> {
    let secret = vec![of.secret?.to_owned()];
    Some(Statement::allow(
        "OpenRedis",
        &["secretsmanager:GetSecretValue"],
        secret,
    ))
}

fn objects(of: &Holdings<'_>, areas: &Areas, shared: &[&str]) -> Vec<String> {
    let keys = areas.keys().map_or_else(
        || vec!["*".to_owned()],
        |keys| {
            keys.into_iter()
                .chain(shared.iter().map(|key| (*key).to_owned()))
                .collect()
        },
    );
    keys.iter()
        .map(|key| of.place.s3(&format!("{}/{key}", of.bucket)))
        .collect()
}

/// In DynamoDB the parts of large values lie beside the areas, and whether the table answers is asked with a key that
/// no area has.
fn with_shared(mut keys: Vec<String>, more: &[&str]) -> Vec<String> {
    keys.push(format!("{PARTS_PREFIX}*"));
    keys.push(PROBE_KEY.to_owned());
    keys.extend(more.iter().map(|key| (*key).to_owned()));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iam_would_expand_in_the_name_of_an_area_stands_for_itself() {
        for (name, keys) in [
            ("home/tony.yum", "home/tony.yum/*"),
            ("a*", "a${*}/*"),
            ("p?od", "p${?}od/*"),
            ("a${b}", "a${$}{b}/*"),
        ] {
            let area: Area = name.parse().expect("an area");
            assert_eq!(all_of(&area), keys);
        }
    }
}
