use crate::data::{EncodedData, Sequence};
use crate::obis::Obis;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Which part of an attribute is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectiveAccess<'a> {
    /// The selector; its meaning is of the interface class.
    pub selector: u8,
    /// The parameters.
    pub parameters: EncodedData<'a>,
}

impl<'a> SelectiveAccess<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { selector: reader.u8()?, parameters: EncodedData::decode(reader)? })
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(self.selector);
        writer.encoded(self.parameters);
    }
}

/// A column of a profile: an attribute, or one element of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaptureObject {
    /// The interface class.
    pub class: u16,
    /// The logical name.
    pub name: Obis,
    /// The attribute.
    pub attribute: i8,
    /// The element, from 1; 0 the whole attribute.
    pub data_index: u16,
}

impl CaptureObject {
    /// Reads the structure of four.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.structure_of(4)?;
        Ok(Self {
            class: reader.long_unsigned()?,
            name: reader.logical_name()?,
            attribute: reader.integer()?,
            data_index: reader.long_unsigned()?,
        })
    }

    /// Writes the structure of four.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.structure(4);
        writer.long_unsigned(self.class);
        writer.logical_name(self.name);
        writer.integer(self.attribute);
        writer.long_unsigned(self.data_index);
    }
}

/// Rows of a profile by the value of one column, both bounds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeDescriptor<'a> {
    /// The column that is compared.
    pub restricting_object: CaptureObject,
    /// The first value.
    pub from: EncodedData<'a>,
    /// The last value.
    pub to: EncodedData<'a>,
    /// The columns wanted, each a capture object; none means all.
    pub selected_values: Sequence<'a>,
}

impl<'a> RangeDescriptor<'a> {
    /// The selector of a profile's buffer.
    pub const SELECTOR: u8 = 1;

    /// Reads the parameters of the selector.
    pub fn decode(parameters: EncodedData<'a>) -> Result<Self, DecodeError> {
        parameters.read(|reader| {
            reader.structure_of(4)?;
            let descriptor = Self {
                restricting_object: CaptureObject::decode(reader)?,
                from: EncodedData::decode(reader)?,
                to: EncodedData::decode(reader)?,
                selected_values: match reader.data()? {
                    crate::data::Data::Array(values) => values,
                    other => return Err(reader.error_behind(DecodeErrorKind::Type(other.tag()))),
                },
            };
            let mut columns = descriptor.selected_values.reader();
            while !columns.is_empty() {
                let start = reader.offset() - columns.rest().len();
                CaptureObject::decode(&mut columns).map_err(|error| DecodeError { offset: start, ..error })?;
            }
            Ok(descriptor)
        })
    }

    /// Writes the parameters of the selector.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.structure(4);
        self.restricting_object.encode(writer);
        writer.encoded(self.from);
        writer.encoded(self.to);
        writer.data(&crate::data::Data::Array(self.selected_values));
    }

    /// The columns wanted.
    pub fn columns(&self) -> impl Iterator<Item = CaptureObject> + use<'a> {
        let mut reader = self.selected_values.reader();
        // Checked when the descriptor was read.
        core::iter::from_fn(move || CaptureObject::decode(&mut reader).ok())
    }
}

/// Rows and columns of a profile by their numbers, from 1, both bounds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryDescriptor {
    /// The first row.
    pub from_entry: u32,
    /// The last row; 0 the last there is.
    pub to_entry: u32,
    /// The first column.
    pub from_selected_value: u16,
    /// The last column; 0 the last there is.
    pub to_selected_value: u16,
}

impl EntryDescriptor {
    /// The selector of a profile's buffer.
    pub const SELECTOR: u8 = 2;

    /// Reads the parameters of the selector.
    pub fn decode(parameters: EncodedData<'_>) -> Result<Self, DecodeError> {
        parameters.read(|reader| {
            reader.structure_of(4)?;
            Ok(Self {
                from_entry: reader.double_long_unsigned()?,
                to_entry: reader.double_long_unsigned()?,
                from_selected_value: reader.long_unsigned()?,
                to_selected_value: reader.long_unsigned()?,
            })
        })
    }

    /// Writes the parameters of the selector.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.structure(4);
        writer.double_long_unsigned(self.from_entry);
        writer.double_long_unsigned(self.to_entry);
        writer.long_unsigned(self.from_selected_value);
        writer.long_unsigned(self.to_selected_value);
    }
}
