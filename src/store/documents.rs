//! Adobe's JSON of a run as it is kept: packed, because it is most of what a run takes up, on the disk as in what has
//! to be written, and only its own page reads it.

use super::StoreError;
use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// Stands before a packed text. No JSON begins with it, and rows from before there was packing hold JSON.
const PACKED: u8 = 1;
/// What nearly every run says, so that a stored one holds only what is its own. Part of the format: with another text,
/// nothing that was stored could be read, so that another one would need another mark.
static USUAL: &[u8] = include_bytes!("run_document.json");
/// LZ4 packs no text more tightly, so a greater length is damage, for which no memory is taken.
const MOST_TIMES: usize = 256;

/// A text, packed.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    bytes: Vec<u8>,
}

impl Document {
    /// The same text is always packed to the same bytes.
    fn pack(text: &[u8]) -> Self {
        let mut bytes = vec![PACKED];
        bytes.extend(compress_prepend_size_with_dict(text, USUAL));
        Self { bytes }
    }

    /// As it is stored.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text that was stored.
    pub(super) fn unpack(stored: Vec<u8>) -> Result<String, StoreError> {
        let damaged = |what: &str| StoreError::Other(format!("a stored document is damaged: {what}"));
        let text = match stored.split_first() {
            Some((&PACKED, packed)) => {
                let length = packed.first_chunk().map(|length| u32::from_le_bytes(*length));
                if length.is_none_or(|length| length as usize > packed.len() * MOST_TIMES) {
                    return Err(damaged("its length"));
                }
                decompress_size_prepended_with_dict(packed, USUAL)
                    .map_err(|error| damaged(&error.to_string()))?
            }
            _ => stored,
        };
        String::from_utf8(text).map_err(|_| damaged("it is no text"))
    }
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::pack(text.as_bytes())
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_text_comes_back(text in ".{0,300}", times in 1_usize..40) {
            let text = text.repeat(times);
            let packed = Document::from(text.as_str());
            prop_assert_eq!(&Document::from(text.as_str()), &packed);
            prop_assert_eq!(Document::unpack(packed.bytes).unwrap(), text);
        }

        #[test]
        fn damage_is_told(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            bytes.insert(0, PACKED);
            // Whatever it is, nothing panics.
            let _ = Document::unpack(bytes);
        }
    }

    #[test]
    fn what_is_stored_can_always_be_read() {
        // As it was packed by the first version.
        let stored = include_bytes!("tests/run_document.packed");
        let text = r#"{"createdBy":"a@techacct.adobe.com","metrics":{"statusSummary":{"status":"success"}}}"#;
        assert_eq!(Document::unpack(stored.to_vec()).unwrap(), text);
        assert!(stored.len() < text.len() / 2, "{}", stored.len());
    }

    #[test]
    fn what_was_stored_before_there_was_packing_is_read() {
        assert_eq!(Document::unpack(b"{\"id\": 1}".to_vec()).unwrap(), "{\"id\": 1}");
        assert_eq!(Document::unpack(Vec::new()).unwrap(), "");
    }

    #[test]
    fn a_length_that_cannot_be_takes_no_memory() {
        let damaged = [&[PACKED][..], &u32::MAX.to_le_bytes(), b"rest"].concat();
        let error = Document::unpack(damaged).unwrap_err();
        assert!(error.to_string().contains("its length"), "{error}");
    }
}
