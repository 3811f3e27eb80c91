//! S3's answers.

use super::answer::{Answer, element, wrap, xml};

/// An object version, its key URL-encoded as S3 gives it; `delete_marker` makes it the mark of a deletion.
pub(crate) fn version(key: &str, version_id: &str, size: u64, delete_marker: bool) -> String {
    let fields = element("Key", Some(key)) + &element("VersionId", Some(version_id));
    if delete_marker {
        format!("<DeleteMarker>{fields}<IsLatest>true</IsLatest></DeleteMarker>")
    } else {
        format!("<Version>{fields}<IsLatest>true</IsLatest><Size>{size}</Size></Version>")
    }
}

/// A page of ListObjectVersions; `next` are the markers (key, version) of the page after it.
pub(crate) fn object_versions(versions: impl IntoIterator<Item = String>, next: Option<(&str, &str)>) -> Answer {
    let versions: String = versions.into_iter().collect();
    let truncated = next.is_some();
    let next = element("NextKeyMarker", next.map(|n| n.0)) + &element("NextVersionIdMarker", next.map(|n| n.1));
    xml(format!(
        "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{next}{versions}</ListVersionsResult>"
    ))
}

/// DeleteObjects: the keys that could not be deleted, with code and message.
pub(crate) fn deleted(errors: &[(&str, &str, &str)]) -> Answer {
    let errors: String = errors
        .iter()
        .map(|(key, code, message)| {
            let fields = element("Key", Some(key)) + &element("Code", Some(code)) + &element("Message", Some(message));
            wrap("Error", &fields)
        })
        .collect();
    xml(format!("<DeleteResult>{errors}</DeleteResult>"))
}

/// ListMultipartUploads: key and upload id of each.
pub(crate) fn multipart_uploads(uploads: &[(&str, &str)]) -> Answer {
    let uploads: String = uploads
        .iter()
        .map(|(key, id)| {
            let fields = element("Key", Some(key)) + &element("UploadId", Some(id));
            wrap("Upload", &fields)
        })
        .collect();
    xml(format!(
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{uploads}</ListMultipartUploadsResult>"
    ))
}
