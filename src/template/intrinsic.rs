//! What CloudFormation works out itself: references, attributes, text with both in it.
//!
//! Structs with the function as their one key: the long form, in YAML and JSON alike.

use serde::Serialize;

/// A property's value: given, or worked out by CloudFormation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value<T> {
    Literal(T),
    Ref(Ref),
    GetAtt(GetAtt),
    Sub(Sub),
    If(If<T>),
}

/// Text, the commonest value.
pub type Text = Value<String>;

/// What identifies a resource (which depends on its type), or a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ref {
    #[serde(rename = "Ref")]
    id: &'static str,
}

/// An attribute of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GetAtt {
    #[serde(rename = "Fn::GetAtt")]
    path: (&'static str, &'static str),
}

/// Text with references in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sub {
    #[serde(rename = "Fn::Sub")]
    text: String,
}

/// The elements of a list with a separator between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Join {
    #[serde(rename = "Fn::Join")]
    of: (&'static str, Ref),
}

/// A value under a condition, no value otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct If<T> {
    #[serde(rename = "Fn::If")]
    choice: (&'static str, Box<Value<T>>, Ref),
}

/// True when a list is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    #[serde(rename = "Fn::Not")]
    not: [Equals; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Equals {
    #[serde(rename = "Fn::Equals")]
    sides: (Join, &'static str),
}

impl Ref {
    pub(super) fn to(id: &'static str) -> Self {
        Self { id }
    }
}

impl GetAtt {
    pub(super) fn of(id: &'static str, attribute: &'static str) -> Self {
        Self { path: (id, attribute) }
    }
}

impl Sub {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Text as it is: what looks like a reference in it stays text.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        self.text.push_str(&text.replace("${", "${!"));
        self
    }

    #[must_use]
    pub(super) fn reference(mut self, reference: &Ref) -> Self {
        self.text.extend(["${", reference.id, "}"]);
        self
    }

    #[must_use]
    pub(super) fn attribute(mut self, attribute: &GetAtt) -> Self {
        let (id, name) = attribute.path;
        self.text.extend(["${", id, ".", name, "}"]);
        self
    }
}

impl Condition {
    pub(super) fn not_empty(list: Ref) -> Self {
        let joined = Join { of: ("", list) };
        Self {
            not: [Equals { sides: (joined, "") }],
        }
    }
}

impl<T> If<T> {
    /// `name` is a condition's; without it the property is as if it were not there.
    pub(super) fn or_absent(name: &'static str, value: Value<T>) -> Self {
        Self {
            choice: (name, Box::new(value), Ref::to("AWS::NoValue")),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<u32> for Value<u32> {
    fn from(number: u32) -> Self {
        Self::Literal(number)
    }
}

impl From<Vec<Text>> for Value<Vec<Text>> {
    fn from(list: Vec<Text>) -> Self {
        Self::Literal(list)
    }
}

impl<T> From<Ref> for Value<T> {
    fn from(reference: Ref) -> Self {
        Self::Ref(reference)
    }
}

impl<T> From<If<T>> for Value<T> {
    fn from(choice: If<T>) -> Self {
        Self::If(choice)
    }
}

impl From<GetAtt> for Text {
    fn from(attribute: GetAtt) -> Self {
        Self::GetAtt(attribute)
    }
}

impl From<Sub> for Text {
    fn from(text: Sub) -> Self {
        Self::Sub(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("serialises")
    }

    #[test]
    fn functions_have_the_long_form() {
        assert_eq!(json(&Text::from(Ref::to("A"))), r#"{"Ref":"A"}"#);
        assert_eq!(
            json(&Text::from(GetAtt::of("A", "B.C"))),
            r#"{"Fn::GetAtt":["A","B.C"]}"#
        );
        assert_eq!(json(&Value::from(5)), "5");
        let choice: Value<u32> = If::or_absent("C", 1.into()).into();
        assert_eq!(json(&choice), r#"{"Fn::If":["C",1,{"Ref":"AWS::NoValue"}]}"#);
    }

    #[test]
    fn text_that_looks_like_a_reference_stays_text() {
        let sub = Sub::new()
            .text("${x}/")
            .reference(&Ref::to("A"))
            .attribute(&GetAtt::of("B", "C"));
        assert_eq!(json(&sub), r#"{"Fn::Sub":"${!x}/${A}${B.C}"}"#);
    }
}
