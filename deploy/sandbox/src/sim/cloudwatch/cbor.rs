//! RFC 8949's binary form of JSON-like values, as far as Smithy's RPC v2 protocol uses it: read into JSON values, and written from them.
//! A time is a number with the tag 1; read, it is the number.

use serde_json::{Map, Number, Value};

/// How deep values may be nested.
const DEEPEST: usize = 64;

/// Reads one value that is all of `bytes`; none if it is not one.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(DEEPEST)?;
    reader.rest.is_empty().then_some(value)
}

/// Writes a value. Numbers below members that hold times are times.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, false, &mut bytes);
    bytes
}

/// Whether a member of CloudWatch's holds a time, or times.
pub(super) fn is_time(member: &str) -> bool {
    member.ends_with("Timestamp") || member == "Timestamps"
}

struct Reader<'a> {
    rest: &'a [u8],
}

/// What a first byte says: the kind, and its argument (none: of indefinite length).
struct Head {
    kind: u8,
    info: u8,
    argument: Option<u64>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn head(&mut self) -> Option<Head> {
        let first = *self.take(1)?.first()?;
        let (kind, info) = (first >> 5, first & 0x1f);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => Some(self.take(1 << (info - 24))?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            31 => None,
            _ => return None,
        };
        Some(Head { kind, info, argument })
    }

    fn value(&mut self, deeper: usize) -> Option<Value> {
        let deeper = deeper.checked_sub(1)?;
        let head = self.head()?;
        Some(match (head.kind, head.argument) {
            (0, Some(number)) => number.into(),
            (1, Some(number)) => i64::try_from(number).ok().map(|number| -1 - number)?.into(),
            (2 | 3, _) => self.text(&head)?.into(),
            (4, length) => {
                let mut items = Vec::new();
                while self.goes_on(length, items.len())? {
                    items.push(self.value(deeper)?);
                }
                items.into()
            }
            (5, length) => {
                let mut members = Map::new();
                let mut count = 0;
                while self.goes_on(length, count)? {
                    let head = self.head().filter(|head| head.kind == 3)?;
                    let name = self.text(&head)?;
                    members.insert(name, self.value(deeper)?);
                    count += 1;
                }
                members.into()
            }
            (6, Some(_)) => self.value(deeper)?,
            (7, Some(bits)) => match head.info {
                20 => false.into(),
                21 => true.into(),
                22 | 23 => Value::Null,
                25 => number(half(u16::try_from(bits).ok()?))?,
                26 => number(f32::from_bits(u32::try_from(bits).ok()?).into())?,
                27 => number(f64::from_bits(bits))?,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether a list or map has more after `count`.
    fn goes_on(&mut self, length: Option<u64>, count: usize) -> Option<bool> {
        if let Some(length) = length {
            return Some(u64::try_from(count).ok()? < length);
        }
        if *self.rest.first()? == 0xff {
            self.take(1)?;
            return Some(false);
        }
        Some(true)
    }

    fn text(&mut self, head: &Head) -> Option<String> {
        let mut bytes = Vec::new();
        match head.argument {
            Some(length) => bytes.extend(self.take(usize::try_from(length).ok()?)?),
            None => loop {
                let part = self.head()?;
                if part.kind == 7 && part.info == 31 {
                    break;
                }
                if part.kind != head.kind {
                    return None;
                }
                bytes.extend(self.take(usize::try_from(part.argument?).ok()?)?);
            },
        }
        String::from_utf8(bytes).ok()
    }
}

fn number(value: f64) -> Option<Value> {
    Number::from_f64(value).map(Value::Number)
}

/// A half-precision number.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 => f64::INFINITY,
        _ => (1.0 + fraction / 1_024.0) * 2_f64.powi(exponent - 15),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

fn put(value: &Value, time: bool, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(value) => bytes.push(if *value { 0xf5 } else { 0xf4 }),
        Value::Number(number) => {
            if time {
                bytes.push(0xc1);
            }
            match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => head(0, number, bytes),
                (_, Some(number), _) => head(1, number.unsigned_abs() - 1, bytes),
                (.., float) => {
                    bytes.push(0xfb);
                    bytes.extend(float.unwrap_or_default().to_be_bytes());
                }
            }
        }
        Value::String(text) => {
            head(3, text.len() as u64, bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, bytes);
            items.iter().for_each(|item| put(item, time, bytes));
        }
        Value::Object(members) => {
            head(5, members.len() as u64, bytes);
            for (name, member) in members {
                head(3, name.len() as u64, bytes);
                bytes.extend(name.as_bytes());
                put(member, is_time(name), bytes);
            }
        }
    }
}

fn head(kind: u8, argument: u64, bytes: &mut Vec<u8>) {
    let kind = kind << 5;
    let all = argument.to_be_bytes();
    match argument {
        0..=23 => bytes.push(kind | all[7]),
        24..=0xff => bytes.extend([kind | 24, all[7]]),
        0x100..=0xffff => {
            bytes.push(kind | 25);
            bytes.extend(&all[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            bytes.push(kind | 26);
            bytes.extend(&all[4..]);
        }
        _ => {
            bytes.push(kind | 27);
            bytes.extend(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            json!({}),
            json!({"a": [1, -1, 23, 24, 255, 256, 65_536, 4_294_967_296_u64], "b": {"c": "d\u{e9}", "e": null, "f": [true, false]}}),
            json!([1.5, -0.25, 1e300, "x".repeat(70_000)]),
        ] {
            assert_eq!(read(&write(&value)), Some(value));
        }
        assert_eq!(write(&json!({"Timestamp": 1.0}))[..13], *b"\xa1\x69Timestamp\xc1\xfb");
        assert_eq!(read(&write(&json!({"Timestamps": [1.0]}))), Some(json!({"Timestamps": [1.0]})));
    }

    #[test]
    fn rfc_8949_s_examples_are_read() {
        for (bytes, value) in [
            (&b"\xf9\x3c\x00"[..], json!(1.0)),
            (b"\xf9\xc4\x00", json!(-4.0)),
            (b"\xf9\x00\x01", json!(5.960_464_477_539_063e-8)),
            (b"\xfa\x47\xc3\x50\x00", json!(100_000.0)),
            (b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", json!(i64::MIN)),
            (b"\xc1\x1a\x51\x4b\x67\xb0", json!(1_363_896_240)),
            (b"\x7f\x65strea\x64ming\xff", json!("streaming")),
            (b"\xbf\x61a\x01\x61b\x9f\x02\x03\xff\xff", json!({"a": 1, "b": [2, 3]})),
        ] {
            assert_eq!(read(bytes), Some(value), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_value_is_not_read() {
        for bytes in
            [&b""[..], b"\x18", b"\x01\x01", b"\xa1\x01\x02", b"\x62a", b"\x9f\x01", b"\xf9\x7c\x00", b"\x1c", &[0x81; 100]]
        {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
    }
}
