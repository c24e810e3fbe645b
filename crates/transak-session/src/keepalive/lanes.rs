//! Who gets how much of a batch.

/// The reserved parts, in hundredths, of the critical, the urgent and the normal lane: the most urgent sessions come first,
/// but a flood of them does not stop the others, which would only become urgent in their turn.
const PARTS: [usize; 3] = [60, 25, 15];

/// What each lane may claim of `places`, at least one each while there are enough.
///
/// What a lane does not use goes on to the next; see `Worker::claim`.
pub(super) fn shares(places: usize) -> [usize; 3] {
    let mut shares = PARTS.map(|part| places * part / 100);
    if places >= PARTS.len() {
        shares = shares.map(|share| share.max(1));
    }
    // Rounding leaves some over, which the most urgent lane gets.
    let others = shares[1] + shares[2];
    shares[0] = places - others;
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_add_up_and_nobody_is_left_out(places in 0_usize..10_000) {
            let shares = shares(places);
            prop_assert_eq!(shares.iter().sum::<usize>(), places);
            prop_assert!(shares.is_sorted_by(|a, b| a >= b));
            prop_assert!(places < 3 || shares.iter().all(|share| *share > 0));
        }
    }
}
