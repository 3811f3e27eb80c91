//! What a POSIX shell reads, for the commands that hints name.

/// A word, in quotes only where it has to be.
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_when_they_need_it() {
        assert_eq!(quote("eu-west-1"), "eu-west-1");
        assert_eq!(
            quote("arn:aws:iam::123456789012:role/a+b"),
            "arn:aws:iam::123456789012:role/a+b"
        );
        assert_eq!(quote("it's mine"), r"'it'\''s mine'");
        assert_eq!(quote(""), "''");
    }
}
