//! A bucket's whole content, page by page: every version of every object, and the marks of deletions.

use aws_sdk_s3::types::EncodingType;

use crate::aws::{Aws, AwsError, AwsErrorKind, Service};

/// The id of a version that was written while its bucket had no versioning.
const UNVERSIONED: &str = "null";

/// One version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) key: String,
    pub(super) id: Option<String>,
    /// Bytes; 0 for a delete marker.
    pub(super) size: u64,
    /// It is what a reader without a version gets.
    pub(super) latest: bool,
    pub(super) delete_marker: bool,
}

impl Version {
    /// As in a bucket that never had versioning.
    fn is_plain(&self) -> bool {
        self.latest && !self.delete_marker && self.id.as_deref() == Some(UNVERSIONED)
    }
}

/// Up to 1,000 versions, and where the next page begins.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) versions: Vec<Version>,
    pub(super) next: Option<Marker>,
}

/// How a listing goes on.
#[derive(Debug, Clone)]
pub(super) enum Marker {
    /// Behind this version.
    Version { key: Option<String>, id: Option<String> },
    /// Behind this object; versions that are not the latest are passed over.
    Object(String),
}

impl Page {
    /// Where to go on deleting. Where no version so far has an id of its own, objects are probably all there is, and
    /// listing them is cheaper; what this overlooks, listing again from the start finds.
    pub(super) fn next_to_delete(&self) -> Option<Marker> {
        match self.versions.last() {
            Some(last) if self.next.is_some() && self.versions.iter().all(Version::is_plain) => {
                Some(Marker::Object(last.key.clone()))
            }
            _ => self.next.clone(),
        }
    }
}

/// An upload that was begun and never finished. Its parts are stored, and paid for.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) id: String,
}

/// The page after `marker`; `None` when there is no such bucket.
pub(super) async fn page(aws: &Aws, bucket: &str, marker: Option<Marker>) -> Result<Option<Page>, AwsError> {
    match marker {
        None => version_page(aws, bucket, None, None).await,
        Some(Marker::Version { key, id }) => version_page(aws, bucket, key, id).await,
        Some(Marker::Object(key)) => object_page(aws, bucket, key).await,
    }
}

async fn version_page(
    aws: &Aws,
    bucket: &str,
    key: Option<String>,
    version: Option<String>,
) -> Result<Option<Page>, AwsError> {
    // S3 goes on behind the marker; ministack repeats the version that it names.
    let repeated = |v: &Version| key.as_ref() == Some(&v.key) && v.id.is_some() && v.id == version;
    let answer = aws
        .s3()
        .list_object_versions()
        .bucket(bucket)
        .encoding_type(EncodingType::Url)
        .set_key_marker(key.clone())
        .set_version_id_marker(version.clone())
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return absent(AwsError::new(Service::S3, "ListObjectVersions", &error)),
    };
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let decode = |key: &str| if encoded { decode(key) } else { key.to_owned() };
    let objects = answer.versions().iter().map(|v| Version {
        key: decode(v.key().unwrap_or_default()),
        id: v.version_id().map(str::to_owned),
        size: v.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        latest: v.is_latest().unwrap_or_default(),
        delete_marker: false,
    });
    let markers = answer.delete_markers().iter().map(|v| Version {
        key: decode(v.key().unwrap_or_default()),
        id: v.version_id().map(str::to_owned),
        size: 0,
        latest: v.is_latest().unwrap_or_default(),
        delete_marker: true,
    });
    let versions: Vec<_> = objects.chain(markers).filter(|v| !repeated(v)).collect();
    let next = answer.is_truncated().unwrap_or_default().then(|| Marker::Version {
        key: answer.next_key_marker().map(decode),
        id: answer.next_version_id_marker().map(str::to_owned),
    });
    Ok(Some(Page { versions, next }))
}

async fn object_page(aws: &Aws, bucket: &str, after: String) -> Result<Option<Page>, AwsError> {
    let request = aws
        .s3()
        .list_objects_v2()
        .bucket(bucket)
        .encoding_type(EncodingType::Url);
    let answer = match request.start_after(after).send().await {
        Ok(answer) => answer,
        Err(error) => return absent(AwsError::new(Service::S3, "ListObjectsV2", &error)),
    };
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let objects = answer.contents().iter().map(|object| {
        let key = object.key().unwrap_or_default();
        Version {
            key: if encoded { decode(key) } else { key.to_owned() },
            id: Some(UNVERSIONED.to_owned()),
            size: object
                .size()
                .and_then(|size| u64::try_from(size).ok())
                .unwrap_or_default(),
            latest: true,
            delete_marker: false,
        }
    });
    let versions: Vec<_> = objects.collect();
    let more = answer.is_truncated().unwrap_or_default();
    let next = versions
        .last()
        .filter(|_| more)
        .map(|last| Marker::Object(last.key.clone()));
    Ok(Some(Page { versions, next }))
}

/// Every unfinished upload, up to `limit`; none when there is no such bucket.
pub(super) async fn uploads(aws: &Aws, bucket: &str, limit: usize) -> Result<Vec<Upload>, AwsError> {
    let mut found = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let answer = aws
            .s3()
            .list_multipart_uploads()
            .bucket(bucket)
            .encoding_type(EncodingType::Url)
            .set_key_marker(key_marker.take())
            .set_upload_id_marker(id_marker.take())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::new(Service::S3, "ListMultipartUploads", &error);
                return Ok(absent::<()>(error)?.map_or(found, |()| Vec::new()));
            }
        };
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let decode = |key: &str| if encoded { decode(key) } else { key.to_owned() };
        found.extend(answer.uploads().iter().filter_map(|upload| {
            Some(Upload {
                key: decode(upload.key()?),
                id: upload.upload_id()?.to_owned(),
            })
        }));
        if !answer.is_truncated().unwrap_or_default() || found.len() >= limit {
            return Ok(found);
        }
        key_marker = answer.next_key_marker().map(decode);
        id_marker = answer.next_upload_id_marker().map(str::to_owned);
    }
}

fn absent<T>(error: AwsError) -> Result<Option<T>, AwsError> {
    if error.kind == AwsErrorKind::NotFound {
        Ok(None)
    } else {
        Err(error)
    }
}

/// Keys come URL-encoded, since XML cannot hold every character that a key can; a space comes as `+`.
fn decode(key: &str) -> String {
    percent_encoding::percent_decode_str(&key.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        assert_eq!(decode("a%2Bb+c%0Ad/%C3%A9%01"), "a+b c\nd/é\u{1}");
    }
}
