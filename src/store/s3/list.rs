//! Listing a bucket.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use futures_util::{StreamExt, stream};
use percent_encoding::percent_decode_str;

use super::S3Store;
use crate::aws::{AwsError, Service};
use crate::store::{Listed, Pages};

pub(super) fn pages<'a>(store: &'a S3Store, prefix: &str) -> Pages<'a> {
    let pages = store
        .client
        .list_objects_v2()
        .bucket(&store.bucket)
        .prefix(prefix)
        // XML cannot carry every character that a key may have.
        .encoding_type(EncodingType::Url)
        .into_paginator()
        .send();
    stream::unfold(pages, move |mut pages| async move {
        let page = pages.next().await?;
        let page = page
            .map(|page| listed(&page))
            .map_err(|error| store.refused(&AwsError::new(Service::S3, "ListBucket", &error)));
        Some((page, pages))
    })
    .boxed()
}

fn listed(page: &ListObjectsV2Output) -> Vec<Listed> {
    let encoded = page.encoding_type() == Some(&EncodingType::Url);
    page.contents()
        .iter()
        .filter_map(|object| {
            let key = object.key()?;
            Some(Listed {
                key: if encoded { decode(key) } else { key.to_owned() },
                size: object.size().and_then(|size| size.try_into().ok()),
                md5: object.e_tag().and_then(md5),
            })
        })
        .collect()
}

/// S3 writes a space as `+` and a plus as `%2B`.
fn decode(key: &str) -> String {
    percent_decode_str(&key.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

/// The MD5 that an ETag looks like; objects of several parts have other ETags. With KMS an ETag looks like one and is
/// none, so a difference proves nothing.
fn md5(tag: &str) -> Option<[u8; 16]> {
    let tag = tag.trim_matches('"');
    let mut md5 = [0; 16];
    if tag.len() != 32 || !tag.is_ascii() {
        return None;
    }
    for (byte, pair) in md5.iter_mut().zip(tag.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(md5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_tags_are_md5() {
        assert_eq!(
            md5("\"000102030405060708090a0b0c0d0eff\"").map(|md5| md5[15]),
            Some(255)
        );
        assert_eq!(md5("\"000102030405060708090a0b0c0d0eff-2\""), None);
        assert_eq!(md5("\"zz0102030405060708090a0b0c0d0eff\""), None);
    }

    #[test]
    fn keys_are_decoded() {
        assert_eq!(decode("a+b%2Bc%0Ad%C3%A9%2525"), "a b+c\ndé%25");
    }
}
