//! Reading what KYDB pickled, and nothing more.
//!
//! A pickle is a program for a small stack machine, whose opcodes can import and call anything. Here only those exist
//! that push text, bytes, numbers and one flat dictionary. There is no recursion, nothing is allocated by a length
//! that the pickle claims, and text is never copied before the end: whatever is written, reading it takes no more than
//! one pass over it.

use std::ops::Range;

use bytes::Bytes;

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is cut short")]
    Short,
    #[error("it has the opcode {0:#04x}, which is for more than text, bytes and {{'code': …}}")]
    Opcode(u8),
    #[error("it is neither text, bytes nor {{'code': …}}")]
    Kind,
}

/// What the machine knows. Text and bytes stay where they are in the pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(Range<usize>),
    Bytes(Range<usize>),
    /// None, a truth value or a number.
    Scalar,
    /// The value of `code`, once there is one.
    Dict(Option<Range<usize>>),
    Mark,
}

/// The source text in a pickle: a string, bytes, or the `code` of a dictionary.
pub(super) fn source(pickle: &Bytes) -> Result<Bytes, Refused> {
    let mut machine = Machine {
        pickle,
        at: 0,
        stack: Vec::new(),
        memo: Vec::new(),
    };
    let range = match machine.run()? {
        Value::Text(range) | Value::Bytes(range) | Value::Dict(Some(range)) => range,
        Value::Dict(None) | Value::Scalar | Value::Mark => return Err(Refused::Kind),
    };
    Ok(pickle.slice(range))
}

struct Machine<'a> {
    pickle: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: Vec<Value>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, Refused> {
        loop {
            let opcode = self.pickle[self.take(1)?][0];
            match opcode {
                // PROTO, FRAME: nothing to learn from them.
                0x80 => self.at = self.take(1)?.end,
                0x95 => self.at = self.take(8)?.end,
                // NONE, NEWTRUE, NEWFALSE, BININT1, BININT2, BININT, BINFLOAT.
                b'N' | 0x88 | 0x89 => self.stack.push(Value::Scalar),
                b'K' => self.scalar(1)?,
                b'M' => self.scalar(2)?,
                b'J' => self.scalar(4)?,
                b'G' => self.scalar(8)?,
                // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8.
                0x8c => self.text(1)?,
                b'X' => self.text(4)?,
                0x8d => self.text(8)?,
                // SHORT_BINBYTES, BINBYTES, BINBYTES8.
                b'C' => self.bytes(1)?,
                b'B' => self.bytes(4)?,
                0x8e => self.bytes(8)?,
                b'}' => self.stack.push(Value::Dict(None)),
                b'(' => self.stack.push(Value::Mark),
                b's' => self.set_items(self.stack.len().saturating_sub(2), 0)?,
                b'u' => {
                    let mark = self.stack.iter().rposition(|value| *value == Value::Mark);
                    self.set_items(mark.ok_or(Refused::Kind)?, 1)?;
                }
                // MEMOIZE, BINPUT, LONG_BINPUT: always the next number, as Python writes them.
                0x94 => self.memoize(self.memo.len())?,
                b'q' => {
                    let index = self.number(1)?;
                    self.memoize(index)?;
                }
                b'r' => {
                    let index = self.number(4)?;
                    self.memoize(index)?;
                }
                // BINGET, LONG_BINGET.
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                b'.' => break,
                other => return Err(Refused::Opcode(other)),
            }
        }
        match (self.stack.pop(), self.stack.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(Refused::Kind),
        }
    }

    fn take(&mut self, length: usize) -> Result<Range<usize>, Refused> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.pickle.len());
        let range = self.at..end.ok_or(Refused::Short)?;
        self.at = range.end;
        Ok(range)
    }

    /// Little-endian, of up to eight bytes.
    fn number(&mut self, width: usize) -> Result<usize, Refused> {
        let range = self.take(width)?;
        let bytes = self.pickle[range].iter().rev();
        let number = bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| Refused::Short)
    }

    fn scalar(&mut self, width: usize) -> Result<(), Refused> {
        self.take(width)?;
        self.stack.push(Value::Scalar);
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), Refused> {
        let length = self.number(width)?;
        let range = self.take(length)?;
        self.stack.push(Value::Text(range));
        Ok(())
    }

    fn bytes(&mut self, width: usize) -> Result<(), Refused> {
        let length = self.number(width)?;
        let range = self.take(length)?;
        self.stack.push(Value::Bytes(range));
        Ok(())
    }

    /// Puts the pairs from `start` on into the dictionary before them.
    fn set_items(&mut self, start: usize, mark: usize) -> Result<(), Refused> {
        let pairs = self.stack.split_off(start);
        let pairs = pairs.get(mark..).ok_or(Refused::Kind)?;
        let Some(Value::Dict(code)) = self.stack.last_mut() else {
            return Err(Refused::Kind);
        };
        for pair in pairs.chunks(2) {
            match pair {
                [Value::Text(key), Value::Text(value) | Value::Bytes(value)] => {
                    if &self.pickle[key.clone()] == b"code" {
                        *code = Some(value.clone());
                    }
                }
                [Value::Text(key), Value::Scalar] if &self.pickle[key.clone()] != b"code" => {}
                _ => return Err(Refused::Kind),
            }
        }
        Ok(())
    }

    fn memoize(&mut self, index: usize) -> Result<(), Refused> {
        let top = self.stack.last().ok_or(Refused::Kind)?.clone();
        if index != self.memo.len() {
            return Err(Refused::Kind);
        }
        self.memo.push(top);
        Ok(())
    }

    /// A dictionary that is named again would be the same one, changes included: nothing that KYDB writes.
    fn recall(&mut self, width: usize) -> Result<(), Refused> {
        let index = self.number(width)?;
        match self.memo.get(index) {
            Some(value @ (Value::Text(_) | Value::Bytes(_) | Value::Scalar)) => self.stack.push(value.clone()),
            _ => return Err(Refused::Kind),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pickle: &[u8]) -> Result<Bytes, Refused> {
        source(&Bytes::copy_from_slice(pickle))
    }

    /// What `pickle.dumps` of Python 3.13 gives.
    #[test]
    fn text_bytes_and_code_are_read() {
        for pickle in [
            &b"\x80\x04\x95\t\x00\x00\x00\x00\x00\x00\x00\x8c\x05a = 1\x94."[..],
            b"\x80\x04\x95\t\x00\x00\x00\x00\x00\x00\x00C\x05a = 1\x94.",
            b"\x80\x04\x95\x12\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x04code\x94\x8c\x05a = 1\x94s.",
            b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04code\x94\x8c\x05a = 1\x94\x8c\x04size\x94K\x05u.",
            b"\x80\x02X\x05\x00\x00\x00a = 1q\x00.",
            b"\x80\x03}q\x00X\x04\x00\x00\x00codeq\x01X\x05\x00\x00\x00a = 1q\x02s.",
        ] {
            assert_eq!(read(pickle).as_deref(), Ok(&b"a = 1"[..]), "{pickle:?}");
        }
    }

    #[test]
    fn what_could_run_is_refused() {
        for (pickle, opcode) in [
            (&b"cos\nsystem\n(S'echo'\ntR."[..], b'c'),
            (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.", 0x93),
            (b"\x80\x04}\x94)R.", b')'),
            (b"\x80\x02\x82\x01.", 0x82),
            (b"Pid\n.", b'P'),
            (b"]]]a.", b']'),
        ] {
            assert_eq!(read(pickle), Err(Refused::Opcode(opcode)), "{pickle:?}");
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
            b"\x80\x04}\x8c\x04codeNs.",
            b"\x80\x04}\x8c\x04code}s.",
            b"\x80\x04\x8c\xff.",
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
            b"\x80\x04NN.",
            b"\x80\x04u.",
            b"\x80\x04s.",
            b"\x80\x04h\x05.",
            b"\x80\x04}\x94h\x00s.",
        ] {
            assert!(read(pickle).is_err(), "{pickle:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(pickle in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&pickle);
        }

        #[test]
        fn no_program_of_known_opcodes_brings_it_down(
            pickle in proptest::collection::vec(proptest::sample::select(b"\x80N\x88KMJG\x8cXCB}(suqrhj\x94.\x00\x01\x02".to_vec()), 0..200)
        ) {
            let _ = read(&pickle);
        }
    }
}
