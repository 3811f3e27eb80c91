//! What AWS takes as a name, an id, an address range or a tag, by its own rules.

use std::net::IpAddr;

use super::{Checked, kept};

/// No list of regions: AWS opens new ones.
pub(crate) fn region(text: &str) -> Checked<String> {
    let valid = text.contains('-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    kept(text, valid, "expected a region such as eu-west-1")
}

pub(crate) fn role_arn(text: &str) -> Checked<String> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let valid = matches!(parts[..], ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws") && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
            && role.len() > "role/".len() && role.starts_with("role/"));
    kept(
        text,
        valid,
        "expected a role such as arn:aws:iam::123456789012:role/NAME",
    )
}

pub(crate) fn bucket_name(text: &str) -> Checked<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = (3..=63).contains(&text.len())
        && text.chars().all(|c| plain(c) || c == '.' || c == '-')
        && text.starts_with(plain)
        && text.ends_with(plain)
        && !text.contains("..")
        && text.parse::<IpAddr>().is_err();
    kept(
        text,
        valid,
        "expected 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
    )
}

pub(crate) fn table_name(text: &str) -> Checked<String> {
    let valid = (3..=255).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    kept(
        text,
        valid,
        "expected 3 to 255 letters, digits, underscores, hyphens and dots",
    )
}

/// 40 characters, the shorter limit of the two kinds: with TLS it names a replication group.
pub(crate) fn cluster_name(text: &str) -> Checked<String> {
    let valid = (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-')
        && !text.contains("--");
    kept(
        text,
        valid,
        "expected a lower-case letter, then lower-case letters, digits and single hyphens, 40 at most",
    )
}

pub(crate) fn node_type(text: &str) -> Checked<String> {
    let valid = matches!(text.split('.').collect::<Vec<_>>()[..], ["cache", family, size]
        if [family, size].iter().all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())));
    kept(text, valid, "expected a node type such as cache.t4g.micro")
}

/// The versions of Redis that ElastiCache still makes.
pub(crate) fn engine_version(text: &str) -> Checked<String> {
    let valid = matches!(text, "4.0.10" | "5.0.6" | "6.0" | "6.2" | "7.0" | "7.1");
    kept(text, valid, "expected one of 7.1, 7.0, 6.2, 6.0, 5.0.6, 4.0.10")
}

fn id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| (8..=17).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(crate) fn vpc(text: &str) -> Checked<String> {
    kept(
        text,
        id(text, "vpc-"),
        "expected the id of a VPC, such as vpc-0123456789abcdef0",
    )
}

pub(crate) fn subnet(text: &str) -> Checked<String> {
    kept(
        text,
        id(text, "subnet-"),
        "expected the id of a subnet, such as subnet-0123456789abcdef0",
    )
}

pub(crate) fn security_group(text: &str) -> Checked<String> {
    kept(
        text,
        id(text, "sg-"),
        "expected the id of a security group, such as sg-0123456789abcdef0",
    )
}

pub(crate) fn instance(text: &str) -> Checked<String> {
    kept(
        text,
        id(text, "i-"),
        "expected the id of an instance, such as i-0123456789abcdef0",
    )
}

pub(crate) fn subnet_group(text: &str) -> Checked<String> {
    let valid = (1..=255).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    kept(
        text,
        valid,
        "expected the name of a cache subnet group: letters, digits and hyphens",
    )
}

/// IPv4 or IPv6. Bits beyond the prefix are refused, as EC2 would quietly clear them.
pub(crate) fn cidr(text: &str) -> Checked<String> {
    let valid = text.split_once('/').is_some_and(|(address, prefix)| {
        let (Ok(address), Ok(prefix)) = (address.parse::<IpAddr>(), prefix.parse::<u32>()) else {
            return false;
        };
        let (bits, width) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        prefix <= width && bits.checked_shl(prefix).unwrap_or(0) == 0
    });
    kept(
        text,
        valid,
        "expected an address range such as 10.0.0.0/16, with no bits set beyond its prefix",
    )
}

pub fn capability(text: &str) -> Checked<String> {
    let valid = matches!(
        text,
        "CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM" | "CAPABILITY_AUTO_EXPAND"
    );
    kept(
        text,
        valid,
        "expected CAPABILITY_IAM, CAPABILITY_NAMED_IAM or CAPABILITY_AUTO_EXPAND",
    )
}

pub fn parameter_name(text: &str) -> Checked<String> {
    let valid = (1..=255).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric());
    kept(text, valid, "expected the name of a parameter: letters and digits")
}

/// `rstack:` is for rstack's own tags, `aws:` for AWS's.
pub fn tag_key(text: &str) -> Checked<String> {
    let reserved = ["aws:", "rstack:"]
        .iter()
        .any(|prefix| text.to_ascii_lowercase().starts_with(prefix));
    kept(
        text,
        (1..=128).contains(&text.chars().count()) && !reserved,
        "expected a tag's key of 1 to 128 characters that does not start with `aws:` or `rstack:`",
    )
}

pub fn tag_value(text: &str) -> Checked<String> {
    kept(
        text,
        text.chars().count() <= 256,
        "expected a tag's value of 256 characters at most",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::taken_and_refused;
    use super::*;

    #[test]
    fn every_check_takes_and_refuses_what_aws_does() {
        let long = "a".repeat(64);
        taken_and_refused(&[
            (
                "region",
                region,
                &["eu-west-1", "us-gov-east-1", "ap-southeast-7"],
                &["", "euwest1", "EU-WEST-1", "eu-west-", "eu west-1"],
            ),
            (
                "role",
                role_arn,
                &[
                    "arn:aws:iam::123456789012:role/a/b",
                    "arn:aws-cn:iam::123456789012:role/x",
                ],
                &[
                    "",
                    "role/x",
                    "arn:aws:iam::1:role/x",
                    "arn:aws:iam::123456789012:user/x",
                    "arn:aws:iam::123456789012:role/",
                ],
            ),
            (
                "bucket",
                bucket_name,
                &["abc", "a.b-c", "1a2"],
                &["ab", "Abc", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", &long],
            ),
            ("table", table_name, &["abc", "A_b-c.d"], &["ab", "a b", "tablé"]),
            (
                "cluster",
                cluster_name,
                &["a", "a-b1"],
                &["", "1a", "a-", "a--b", "A", &long],
            ),
            (
                "node",
                node_type,
                &["cache.t4g.micro", "cache.r7g.16xlarge"],
                &["t4g.micro", "cache.t4g", "cache..micro", "cache.T4g.micro"],
            ),
            (
                "engine",
                engine_version,
                &["7.1", "6.2", "5.0.6"],
                &["7", "7.10", "8.0", ""],
            ),
            (
                "vpc",
                vpc,
                &["vpc-0123456789abcdef0", "vpc-01234567"],
                &["vpc-", "vpc-xyz", "subnet-01234567"],
            ),
            ("group", security_group, &["sg-0ce5339b18f038bbd"], &["sg-1", "default"]),
            (
                "cidr",
                cidr,
                &["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "fd00::/8", "::/0", "::1/128"],
                &[
                    "10.0.0.0",
                    "10.0.0.1/8",
                    "10.0.0.0/33",
                    "fd00::1/8",
                    "::/129",
                    "x/8",
                    "/",
                ],
            ),
            ("tag", tag_key, &["team", "ünï"], &["", "aws:x", "rstack:x", "AWS:x"]),
        ]);
    }
}
