//! The only source of chance: xoshiro256**, seeded by splitmix64.

/// A small, fast generator; not for real secrets.
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: [u64; 4],
}

/// One step of splitmix64, which also mixes a number well.
pub(crate) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut last = seed;
        let state = std::array::from_fn(|_| {
            last = last.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(last)
        });
        Self { state }
    }

    pub(crate) fn next(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number below `bound`. The bias is far below anything a sandbox could show.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Lower-case hex digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// Sixteen random bytes.
    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    /// A random UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.bytes())
            .into_uuid()
            .hyphenated()
            .to_string()
    }

    /// A decimal code with leading zeros.
    pub(crate) fn code(&mut self, digits: u32) -> String {
        let digits = digits.clamp(1, 9);
        let number = self.below(10_u64.pow(digits));
        format!("{number:0width$}", width = digits as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_story() {
        let (mut one, mut two, mut other) = (Rng::new(7), Rng::new(7), Rng::new(8));
        assert_eq!(one.uuid(), two.uuid());
        assert_eq!(one.hex(32), two.hex(32));
        assert_ne!(one.hex(32), other.hex(32));
    }

    #[test]
    fn codes_keep_their_leading_zeros() {
        let mut rng = Rng::new(3);
        assert!(
            (0..10_000)
                .map(|_| rng.code(6))
                .all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()))
        );
        assert!((0..1_000).map(|_| rng.code(2)).any(|code| code.starts_with('0')));
    }
}
