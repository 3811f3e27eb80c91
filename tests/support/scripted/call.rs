//! A recorded request: which AWS action it asks for, and with what.

use std::collections::BTreeMap;

use wiremock::Request;

/// How a service writes requests, answers and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// CloudFormation, ElastiCache, STS: a form in, XML out.
    Query,
    /// EC2: as `Query`, with its own wrapping.
    Ec2,
    /// DynamoDB, Secrets Manager.
    Json,
    S3,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) protocol: Protocol,
    /// As the API names it: "DescribeStacks", "HeadBucket".
    pub(crate) action: String,
    /// Of the form or of the URL's query; for S3 also `Bucket` and `Key`.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Call {
    /// The parameter's value, or "".
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The body read as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    pub(super) fn read(request: &Request) -> Self {
        let headers: BTreeMap<_, _> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let is_form = headers
            .get("content-type")
            .is_some_and(|t| t.contains("form-urlencoded"));
        let (protocol, action, parameters) = if let Some(target) = headers.get("x-amz-target") {
            let action = target.rsplit('.').next().unwrap_or(target);
            (Protocol::Json, action.to_owned(), BTreeMap::new())
        } else if is_form {
            let form = form(&body);
            let ec2 = form.get("Version").is_some_and(|version| version == "2016-11-15");
            let action = form.get("Action").cloned().unwrap_or_default();
            (if ec2 { Protocol::Ec2 } else { Protocol::Query }, action, form)
        } else {
            let (action, parameters) = s3_action(request);
            (Protocol::S3, action, parameters)
        };
        Self {
            protocol,
            action,
            parameters,
            headers,
            body,
        }
    }
}

/// S3 names its actions by method and query alone.
fn s3_action(request: &Request) -> (String, BTreeMap<String, String>) {
    let mut parameters = form(request.url.query().unwrap_or_default());
    let path = request.url.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let has = |name: &str| parameters.contains_key(name);
    let object = !key.is_empty();
    let action = match (request.method.as_str(), object) {
        ("GET", false) if bucket.is_empty() => "ListBuckets",
        ("GET", false) if has("versions") => "ListObjectVersions",
        ("GET", false) if has("uploads") => "ListMultipartUploads",
        ("GET", false) if has("object-lock") => "GetObjectLockConfiguration",
        ("GET", false) if has("versioning") => "GetBucketVersioning",
        ("GET", false) if has("location") => "GetBucketLocation",
        ("GET", false) => "ListObjectsV2",
        ("POST", false) if has("delete") => "DeleteObjects",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        ("DELETE", false) => "DeleteBucket",
        ("GET", true) if has("legal-hold") => "GetObjectLegalHold",
        ("GET", true) if has("retention") => "GetObjectRetention",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) => "PutObject",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) => "DeleteObject",
        _ => "an S3 action that the script cannot name",
    };
    let (bucket, key) = (unescape(bucket), unescape(key));
    parameters.insert("Bucket".to_owned(), bucket);
    parameters.insert("Key".to_owned(), key);
    (action.to_owned(), parameters)
}

fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (unescape(name), unescape(value)))
        .collect()
}

fn unescape(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
