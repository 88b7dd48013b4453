//! Data sets `address(value*unit)` and the lines they stand in (IEC 62056-21).

use super::ReadoutError;

/// One value with its address and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet<'a> {
    /// The identification code, at most 16 characters. Empty where several values stand behind one address.
    pub address: &'a [u8],
    /// The value, at most 128 characters (32 in a plain readout).
    pub value: &'a [u8],
    /// The unit, at most 16 characters, if there is one.
    pub unit: Option<&'a [u8]>,
}

/// Reads data sets one by one; ends after the first error, and at the `!` of a readout.
#[derive(Debug, Clone)]
pub struct DataSets<'a> {
    data: &'a [u8],
    offset: usize,
}

const LONGEST_ADDRESS: usize = 16;
const LONGEST_VALUE: usize = 128;
const LONGEST_UNIT: usize = 16;
/// Characters of a line with its end.
const LONGEST_LINE: usize = 78;

fn limit(offset: usize, part: &[u8], what: &'static str, most: usize) -> Result<(), ReadoutError> {
    if part.len() > most { Err(ReadoutError::TooLong { offset, what, most }) } else { Ok(()) }
}

impl<'a> DataSets<'a> {
    /// Of the data of a block.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, offset: 0 }
    }

    fn until(&self, from: usize, ends: &[u8], expected: &'static str) -> Result<usize, ReadoutError> {
        let rest = self.data.get(from..).unwrap_or_default();
        let at = rest.iter().position(|character| b"()*/!\r\n".contains(character)).unwrap_or(rest.len());
        match rest.get(at) {
            Some(end) if ends.contains(end) => Ok(from + at),
            _ => Err(ReadoutError::Unexpected { offset: from + at, expected }),
        }
    }

    fn part(&self, from: usize, to: usize) -> &'a [u8] {
        self.data.get(from..to).unwrap_or_default()
    }

    fn read(&mut self) -> Result<DataSet<'a>, ReadoutError> {
        let start = self.offset;
        let open = self.until(start, b"(", "(")?;
        let end = self.until(open + 1, b"*)", "* or )")?;
        let close = if self.data.get(end) == Some(&b'*') { self.until(end + 1, b")", ")")? } else { end };
        let (address, value) = (self.part(start, open), self.part(open + 1, end));
        let unit = (close > end).then(|| self.part(end + 1, close));
        limit(start, address, "an address", LONGEST_ADDRESS)?;
        limit(open + 1, value, "a value", LONGEST_VALUE)?;
        limit(end + 1, unit.unwrap_or_default(), "a unit", LONGEST_UNIT)?;
        self.offset = close + 1;
        Ok(DataSet { address, value, unit })
    }
}

impl<'a> Iterator for DataSets<'a> {
    type Item = Result<DataSet<'a>, ReadoutError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.data.get(self.offset..)?;
        self.offset += rest.iter().take_while(|character| matches!(character, b'\r' | b'\n')).count();
        if matches!(self.data.get(self.offset)?, b'!') {
            return None;
        }
        let data_set = self.read();
        if data_set.is_err() {
            self.offset = self.data.len();
        }
        Some(data_set)
    }
}

/// Writes data sets, one behind the other in lines of at most 78 characters.
#[derive(Debug)]
pub struct DataWriter<'a> {
    out: &'a mut [u8],
    filled: usize,
}

impl<'a> DataWriter<'a> {
    /// Into this place.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, filled: 0 }
    }

    /// Adds a line with one data set.
    pub fn line(&mut self, set: &DataSet<'_>) -> Result<(), ReadoutError> {
        let mark = if set.unit.is_some() { &b"*"[..] } else { b"" };
        let unit = set.unit.unwrap_or_default();
        limit(0, set.address, "an address", LONGEST_ADDRESS)?;
        let (value, after) = (set.address.len() + 1, set.address.len() + set.value.len() + 2);
        limit(value, set.value, "a value", LONGEST_VALUE)?;
        limit(after, unit, "a unit", LONGEST_UNIT)?;
        let parts = [set.address, b"(", set.value, mark, unit, b")", b"\r\n"];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > LONGEST_LINE {
            return Err(ReadoutError::TooLong { offset: 0, what: "a line", most: LONGEST_LINE });
        }
        for (offset, part) in [(0, set.address), (value, set.value), (after, unit)] {
            if part.iter().any(|character| b"()*/!".contains(character) || !matches!(character, 0x20..0x7F)) {
                return Err(ReadoutError::Unexpected { offset, expected: "an address, a value, a unit" });
            }
        }
        let room = self.out.len();
        let place = self.out.get_mut(self.filled..).ok_or(ReadoutError::Room { room })?;
        self.filled += super::join(place, &parts).map_err(|_| ReadoutError::Room { room })?;
        Ok(())
    }

    /// What was written.
    pub fn finish(self) -> &'a [u8] {
        self.out.get(..self.filled).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let sets = [
            DataSet { address: b"1-0:1.8.0", value: b"000123.45", unit: Some(b"kWh") },
            DataSet { address: b"0.0.0", value: b"12345678", unit: None },
            DataSet { address: b"F.F", value: b"", unit: None },
        ];
        let mut out = [0; 100];
        let mut writer = DataWriter::new(&mut out);
        sets.iter().for_each(|set| writer.line(set).unwrap());
        let text = writer.finish();
        assert_eq!(text, b"1-0:1.8.0(000123.45*kWh)\r\n0.0.0(12345678)\r\nF.F()\r\n");
        let read: Vec<_> = DataSets::new(text).map(Result::unwrap).collect();
        assert_eq!(read, sets);
    }

    #[test]
    fn several_values_behind_one_address_and_errors_with_their_place() {
        let read: Vec<_> = DataSets::new(b"P.01(1)(2*W)\r\n!\r\nrest").map(Result::unwrap).collect();
        assert_eq!(read[1], DataSet { address: b"", value: b"2", unit: Some(b"W") });
        assert_eq!(read.len(), 2);
        let error = |text| DataSets::new(text).find_map(Result::err);
        assert_eq!(error(b"1.8.0(1"), Some(ReadoutError::Unexpected { offset: 7, expected: "* or )" }));
        assert_eq!(error(b"ok(1)\r\nbad"), Some(ReadoutError::Unexpected { offset: 10, expected: "(" }));
        assert_eq!(
            error(b"12345678901234567(1)"),
            Some(ReadoutError::TooLong { offset: 0, what: "an address", most: 16 })
        );
        let mut out = [0; 8];
        let set = DataSet { address: b"1.8.0", value: b"1234", unit: None };
        assert_eq!(DataWriter::new(&mut out).line(&set), Err(ReadoutError::Room { room: 8 }));
        let wrong = DataSet { value: b"1)", ..set };
        assert!(DataWriter::new(&mut [0; 99]).line(&wrong).is_err());
    }
}
