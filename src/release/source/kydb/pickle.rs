//! Reading what KYDB pickled, and nothing more.
//!
//! A pickle is a program for a small stack machine, whose opcodes can import and call anything. `deser-pickle` runs the
//! machine and calls nothing: it records what would have been called. Here even that is refused, as is whatever else is not
//! text, bytes or `{'code': …}`.

use std::borrow::Cow;

use bytes::Bytes;
use deser::de::{Deserialize, Sink, SinkHandle};
use deser::{Atom, Error, ErrorKind, State};
use deser_pickle::take_class;

const EXPECTED: &str = "text, bytes or {'code': …}";

/// The source text in a pickle: a string, bytes, or a dictionary that has either as its `code` and nothing else.
///
/// # Errors
/// Why it is not taken, as what follows "it is not taken: ".
pub(super) fn source(pickle: &[u8]) -> Result<Bytes, String> {
    let read = deser_pickle::from_slice::<Code>(pickle);
    read.map(|code| code.0.into())
        .map_err(|error| error.message().to_owned())
}

struct Code(Vec<u8>);

impl<'de> Deserialize<'de> for Code {
    fn deserialize_into<'out>(out: &'out mut Option<Self>, state: &mut State) -> SinkHandle<'out, 'de> {
        SinkHandle::arena(Value::new(out, false), state)
    }

    fn expecting() -> Cow<'static, str> {
        EXPECTED.into()
    }
}

/// Where the value goes that is read now: that of the pickle, or that of `code` in its dictionary.
struct Value<'out> {
    out: &'out mut Option<Code>,
    in_dict: bool,
    key: Option<String>,
}

impl<'out> Value<'out> {
    fn new(out: &'out mut Option<Code>, in_dict: bool) -> Self {
        Self {
            out,
            in_dict,
            key: None,
        }
    }
}

impl<'de> Sink<'de> for Value<'_> {
    fn atom(&mut self, atom: Atom, state: &mut State) -> Result<(), Error> {
        not_an_object(state)?;
        *self.out = match atom {
            Atom::Str(text) => Some(Code(text.as_bytes().to_vec())),
            Atom::Bytes(bytes) => Some(Code(bytes.to_vec())),
            _ => return Err(neither()),
        };
        Ok(())
    }

    fn map(&mut self, state: &mut State) -> Result<(), Error> {
        not_an_object(state)?;
        if self.in_dict { Err(neither()) } else { Ok(()) }
    }

    fn next_key(&mut self, state: &mut State) -> Result<SinkHandle<'_, 'de>, Error> {
        Ok(String::deserialize_into(&mut self.key, state))
    }

    fn next_value(&mut self, state: &mut State) -> Result<SinkHandle<'_, 'de>, Error> {
        match self.key.take().as_deref() {
            Some("code") => Ok(SinkHandle::arena(Value::new(self.out, true), state)),
            _ => Err(neither()),
        }
    }

    fn finish(&mut self, _: &mut State) -> Result<(), Error> {
        self.out.is_some().then_some(()).ok_or_else(neither)
    }

    fn expecting(&self) -> Cow<'_, str> {
        EXPECTED.into()
    }
}

fn not_an_object(state: &mut State) -> Result<(), Error> {
    let refused = |class| Error::new(ErrorKind::InvalidType, format!("unpickling it would call {class}"));
    take_class(state).map_or(Ok(()), |class| Err(refused(class.path().to_owned())))
}

fn neither() -> Error {
    Error::new(ErrorKind::InvalidType, "it is neither text, bytes nor {'code': …}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `pickle.dumps` of Python 3.13 gives.
    #[test]
    fn text_bytes_and_code_are_read() {
        for pickle in [
            &b"\x80\x04\x95\t\x00\x00\x00\x00\x00\x00\x00\x8c\x05a = 1\x94."[..],
            b"\x80\x04\x95\t\x00\x00\x00\x00\x00\x00\x00C\x05a = 1\x94.",
            b"\x80\x04\x95\x12\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x04code\x94\x8c\x05a = 1\x94s.",
            b"\x80\x02X\x05\x00\x00\x00a = 1q\x00.",
            b"\x80\x03}q\x00X\x04\x00\x00\x00codeq\x01X\x05\x00\x00\x00a = 1q\x02s.",
        ] {
            assert_eq!(source(pickle).as_deref(), Ok(&b"a = 1"[..]), "{pickle:?}");
        }
    }

    #[test]
    fn what_could_run_is_refused() {
        for (pickle, says) in [
            (&b"cos\nsystem\n(S'echo'\ntR."[..], "os.system"),
            (b"\x80\x04cdecimal\nDecimal\n\x8c\x011\x85R.", "decimal.Decimal"),
            (
                b"\x80\x04ccollections\nOrderedDict\n)R(\x8c\x04code\x8c\x05a = 1u.",
                "collections.OrderedDict",
            ),
            (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.", "neither"),
            (
                b"\x80\x04}(\x8c\x04sizecos\nsystem\n\x8c\x04code\x8c\x05a = 1u.",
                "neither",
            ),
            (b"\x80\x04}\x94)R.", "not a class"),
            (b"\x80\x02\x82\x01.", "extension codes"),
            (b"Pid\n.", "persistent ids"),
        ] {
            let refused = source(pickle).expect_err("refused");
            assert!(refused.contains(says), "{pickle:?}: {refused}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for pickle in [
            &b""[..],
            b".",
            b"\x80\x04",
            b"\x80\x04N.",
            b"\x80\x04K\x05.",
            b"\x80\x04}\x94.",
            b"\x80\x04]\x94.",
            b"\x80\x04}\x8c\x04codeNs.",
            b"\x80\x04}\x8c\x04code}s.",
            b"\x80\x04}\x8c\x04code}\x8c\x04code\x8c\x05a = 1ss.",
            b"\x80\x04}(\x8c\x04code\x8c\x05a = 1\x8c\x04more]u.",
            b"\x80\x04}(\x8c\x04code\x8c\x05a = 1\x8c\x04sizeK\x05u.",
            b"\x80\x04\x8c\xff.",
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fa.",
            b"\x80\x04NN.",
            b"\x80\x04u.",
            b"\x80\x04s.",
            b"\x80\x04h\x05.",
            b"\x80\x04}\x94\x8c\x04codeh\x00s.",
        ] {
            assert!(source(pickle).is_err(), "{pickle:?}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let deep = 400_000;
        let lists = [vec![b']'; deep], vec![b'a'; deep - 1], b".".to_vec()].concat();
        let dicts = [
            b"}\x8c\x04code".repeat(deep),
            b"N".to_vec(),
            vec![b's'; deep],
            b".".to_vec(),
        ]
        .concat();
        let tuples = [b"N".to_vec(), vec![0x85; deep], b".".to_vec()].concat();
        for pickle in [lists, dicts, tuples] {
            assert!(source(&pickle).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(pickle in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = source(&pickle);
        }

        #[test]
        fn no_program_of_known_opcodes_brings_it_down(
            pickle in proptest::collection::vec(proptest::sample::select(b"\x80N\x88KMJG\x8cXCB}]()suqrhjae\x85\x94R.\x00\x01\x02".to_vec()), 0..200)
        ) {
            let _ = source(&pickle);
        }
    }
}
