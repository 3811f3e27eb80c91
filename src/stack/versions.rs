//! A bucket's whole content, page by page: every version of every object, and the marks of deletions.

use aws_sdk_s3::types::EncodingType;

use crate::aws::{Aws, AwsError, AwsErrorKind, Service};

/// One version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) key: String,
    /// "null" for an object written while the bucket had no versioning.
    pub(super) id: Option<String>,
    /// Bytes; 0 for a delete marker.
    pub(super) size: u64,
    /// It is what a reader without a version gets.
    pub(super) latest: bool,
    pub(super) delete_marker: bool,
}

/// Up to 1,000 versions, and where the next page begins.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) versions: Vec<Version>,
    pub(super) next: Option<Marker>,
}

#[derive(Debug, Clone)]
pub(super) struct Marker {
    key: Option<String>,
    version: Option<String>,
}

/// An upload that was begun and never finished. Its parts are stored, and paid for.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) id: String,
}

/// The page after `marker`; `None` when there is no such bucket.
pub(super) async fn page(aws: &Aws, bucket: &str, marker: Option<Marker>) -> Result<Option<Page>, AwsError> {
    let (key, version) = marker.map_or((None, None), |m| (m.key, m.version));
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
    let next = answer.is_truncated().unwrap_or_default().then(|| Marker {
        key: answer.next_key_marker().map(decode),
        version: answer.next_version_id_marker().map(str::to_owned),
    });
    Ok(Some(Page {
        versions: objects.chain(markers).filter(|v| !repeated(v)).collect(),
        next,
    }))
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
