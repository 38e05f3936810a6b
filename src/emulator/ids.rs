//! Identifiers in the shapes that Adobe's samples show.

use data_encoding::HEXLOWER;
use fastrand::Rng;
use uuid::Uuid;

/// Maker of ids for objects that calls create.
#[derive(Debug)]
pub struct Ids(Rng);

impl Ids {
    /// With a seed the sequence is repeatable.
    pub fn new(seed: Option<u64>) -> Self {
        Self(seed.map_or_else(Rng::new, Rng::with_seed))
    }

    pub fn uuid(&mut self) -> String {
        uuid_from(&mut self.0).to_string()
    }

    /// Lower-case hexadecimal digits: 24 for datasets, 32 for mapping sets, 48 for schemas.
    pub fn hex(&mut self, digits: usize) -> String {
        let bytes: Vec<u8> = (0..digits.div_ceil(2)).map(|_| self.0.u8(..)).collect();
        let mut text = HEXLOWER.encode(&bytes);
        text.truncate(digits);
        text
    }

    /// A Flow Service etag with its inner quotes, in the shape of Adobe's samples; new on every write.
    pub fn etag(&mut self, now_ms: i64) -> String {
        format!(
            "\"{:08x}-0000-0200-0000-{:08x}0000\"",
            self.0.u32(..),
            now_ms / 1000
        )
    }
}

/// A version 4 UUID drawn from a given generator.
pub fn uuid_from(rng: &mut Rng) -> Uuid {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}

/// A generator that is a pure function of its parts, so that equal parts give equal outcomes everywhere.
pub fn rng_of(parts: &[u64]) -> Rng {
    // FNV-1a over the words, then one round of mixing by the generator itself.
    let hash = parts.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, part| {
        part.to_le_bytes().iter().fold(hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    });
    let mut rng = Rng::with_seed(hash);
    Rng::with_seed(rng.u64(..))
}

/// A number that stands for a text in [`rng_of`].
pub fn number_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The id of the Catalog batch that a run writes: the run's id in the 26-character alphabet of Adobe's samples.
pub fn batch_of_run(run: Uuid) -> String {
    let number = run.as_u128();
    (0..26)
        .rev()
        .map(|digit| char::from(CROCKFORD[((number >> (digit * 5)) & 31) as usize]))
        .collect()
}

/// The run that writes a batch; `None` when the text is no batch id.
pub fn run_of_batch(batch: &str) -> Option<Uuid> {
    if batch.len() != 26 || batch.as_bytes()[0] > b'7' {
        return None;
    }
    batch
        .bytes()
        .try_fold(0_u128, |number, letter| {
            let digit = CROCKFORD.iter().position(|known| *known == letter)?;
            Some((number << 5) | digit as u128)
        })
        .map(Uuid::from_u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_id_leads_back_to_its_run() {
        let run = uuid_from(&mut rng_of(&[1, 2, 3]));
        let batch = batch_of_run(run);
        assert_eq!(batch.len(), 26);
        assert_eq!(run_of_batch(&batch), Some(run));
        assert_eq!(run_of_batch("no batch"), None);
        assert_eq!(run_of_batch("81EF01X41KJD82Y9ZX6ET54PCZ"), None);
    }

    #[test]
    fn equal_parts_give_equal_numbers_and_unequal_ones_do_not() {
        assert_eq!(rng_of(&[7, 8]).u64(..), rng_of(&[7, 8]).u64(..));
        assert_ne!(rng_of(&[7, 8]).u64(..), rng_of(&[8, 7]).u64(..));
        assert_eq!(Ids::new(Some(4)).uuid(), Ids::new(Some(4)).uuid());
        assert_eq!(Ids::new(Some(4)).hex(24).len(), 24);
    }
}
