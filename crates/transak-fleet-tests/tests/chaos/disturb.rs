//! What is done to the fleet.

use std::time::Duration;

use transak_fleet_tests::Trouble;

/// Random numbers that a seed repeats (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// Something that happens to the fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blow {
    /// A process dies (`SIGKILL`) and another one is started in its place.
    Kill { process: u64 },
    /// A process is paused (`SIGSTOP`) for this long.
    Pause { process: u64, span: Duration },
    /// The store's server dies and is started again after this long.
    StoreDies { span: Duration },
    /// The store's server does not answer for this long.
    StorePauses { span: Duration },
    /// The wire between half of the processes and the store is in trouble for this long.
    Wire { trouble: Trouble, span: Duration },
    /// Transak loses the answers to this many renewals.
    AnswersLost { times: u32 },
    /// Transak answers so many calls with 503.
    Unavailable { times: u32 },
    /// Transak takes this long for so many calls.
    Slow { millis: u64, times: u32 },
}

impl Blow {
    pub(crate) fn draw(dice: &mut Dice, processes: u64) -> Self {
        match dice.below(100) {
            0..25 => Self::Kill {
                process: dice.below(processes),
            },
            25..45 => Self::Pause {
                process: dice.below(processes),
                span: dice.millis(300, 3_000),
            },
            45..52 => Self::StoreDies {
                span: dice.millis(100, 1_500),
            },
            52..60 => Self::StorePauses {
                span: dice.millis(200, 3_000),
            },
            60..80 => {
                let trouble = match dice.below(6) {
                    0 => Trouble::SlowThere(Duration::from_millis(150)),
                    1 => Trouble::SlowBack(Duration::from_millis(150)),
                    2 => Trouble::CutBefore,
                    3 => Trouble::CutAfter,
                    4 => Trouble::Silent,
                    _ => Trouble::SilentBack,
                };
                Self::Wire {
                    trouble,
                    span: dice.millis(200, 2_500),
                }
            }
            80..88 => Self::AnswersLost {
                times: 1 + dice.below(3) as u32,
            },
            88..95 => Self::Unavailable {
                times: 1 + dice.below(8) as u32,
            },
            _ => Self::Slow {
                millis: 200 + dice.below(2_000),
                times: 1 + dice.below(4) as u32,
            },
        }
    }
}
