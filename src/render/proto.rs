//! Protocol buffers, written: just enough for a profile.

/// A message under construction. Fields that hold the default are left out, as usual.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Forgets the fields and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The encoded fields.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }

    /// A number; 0 is left out.
    pub fn int(&mut self, field: u32, value: i64) {
        if value != 0 {
            self.varint((field as u64) << 3);
            self.varint(value as u64);
        }
    }

    /// Text or an encoded message, even if empty.
    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.varint((field as u64) << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// Numbers of a repeated field, packed.
    pub fn packed(&mut self, field: u32, values: impl Iterator<Item = i64> + Clone) {
        let len: u64 = values.clone().map(|v| varint_len(v as u64)).sum();
        if len > 0 {
            self.varint((field as u64) << 3 | 2);
            self.varint(len);
            for value in values {
                self.varint(value as u64);
            }
        }
    }
}

fn varint_len(n: u64) -> u64 {
    (70 - (n | 1).leading_zeros() as u64) / 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_numbers() {
        for n in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::MAX,
            u64::MAX >> 1,
            1 << 63,
        ] {
            let mut m = Message::default();
            m.varint(n);
            assert_eq!(m.bytes.len() as u64, varint_len(n), "{n}");
        }
    }
}
