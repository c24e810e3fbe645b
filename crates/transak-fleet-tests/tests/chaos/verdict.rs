//! What was seen, and whether it may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use transak_fleet_tests::EngineKind;

/// What was seen.
pub(crate) struct Seen {
    kind: EngineKind,
    seed: u64,
    people: u64,
    span: Duration,
    /// Whether Transak revokes a token when it is renewed, so that a lost answer is a lost session.
    revokes: bool,
    pub(crate) long_pauses: u64,
    pub(crate) blows: BTreeMap<&'static str, u64>,
    /// By Transak.
    pub(crate) mints: u64,
    pub(crate) refreshes: u64,
    pub(crate) logins: u64,
    pub(crate) refused: BTreeMap<&'static str, u64>,
    pub(crate) violations: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Whose stored token Transak does not take.
    pub(crate) lost: Vec<u64>,
    /// By the processes: of whom and from which token, what it was renewed to and in which life of a process.
    renewed: BTreeMap<(String, String), Vec<(String, u64)>>,
    /// Tokens that another process has had from the store.
    adopted: BTreeSet<String>,
    lives: u64,
    /// Lives that ended in order.
    finished: BTreeSet<u64>,
    events: BTreeMap<String, u64>,
    wrong: Vec<String>,
    served: u64,
    cold: u64,
    up: u64,
    down: u64,
}

impl Seen {
    pub(crate) fn new(kind: EngineKind, seed: u64, people: u64, span: Duration, revokes: bool) -> Self {
        Self {
            kind,
            seed,
            people,
            span,
            revokes,
            long_pauses: 0,
            blows: BTreeMap::new(),
            mints: 0,
            refreshes: 0,
            logins: 0,
            refused: BTreeMap::new(),
            violations: 0,
            faults: BTreeMap::new(),
            lost: Vec::new(),
            renewed: BTreeMap::new(),
            adopted: BTreeSet::new(),
            lives: 0,
            finished: BTreeSet::new(),
            events: BTreeMap::new(),
            wrong: Vec::new(),
            served: 0,
            cold: 0,
            up: 0,
            down: 0,
        }
    }

    /// Takes in the journal of one process after the other, whose last lines kills may have cut.
    pub(crate) fn read(&mut self, text: &str) {
        let mut served = BTreeMap::new();
        self.lives += 1;
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            let (_, what, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
            match what {
                Some("renewed") => {
                    let mut words = rest.split(' ');
                    if let (Some(user), Some(former), Some(token)) = (words.next(), words.next(), words.next()) {
                        let renewals = self.renewed.entry((user.into(), former.into())).or_default();
                        renewals.push((token.into(), self.lives));
                    }
                }
                Some("adopted") => {
                    self.adopted.insert(rest.to_owned());
                }
                Some("event") => *self.events.entry(rest.to_owned()).or_default() += 1,
                Some("served") => {
                    let number: u64 = rest.parse().unwrap_or(0);
                    // Each caller counts for itself, by fifties.
                    *served.entry(number).or_insert(0_u64) += u64::from(number > 0);
                }
                Some("cold") => self.cold += 1,
                Some("up") => {
                    self.up += 1;
                    self.lives += 1;
                }
                Some("down") => {
                    self.down += 1;
                    self.finished.insert(self.lives);
                }
                Some("login" | "unserved" | "partner" | "missed") => self.wrong.push(line.to_owned()),
                _ => {}
            }
        }
        self.served += 50 * served.values().sum::<u64>();
    }

    fn event(&self, name: &str) -> u64 {
        self.events.get(name).copied().unwrap_or(0)
    }

    fn told(&self) -> u64 {
        self.renewed.values().map(|all| all.len() as u64).sum()
    }

    /// How many renewals were of a token that had been renewed before; and how many of them are explained by a process that
    /// was killed after it had told of a renewal and before the store had it, so that nobody else ever met that token.
    fn doubles(&self) -> (u64, u64) {
        let (mut doubles, mut unwritten) = (0, 0);
        for renewals in self.renewed.values() {
            let more = renewals.len() as u64 - 1;
            let lost = |(token, life): &&(String, u64)| !self.adopted.contains(token) && !self.finished.contains(life);
            doubles += more;
            unwritten += more.min(renewals.iter().filter(lost).count() as u64);
        }
        (doubles, unwritten)
    }

    /// Holds what was seen against what is promised.
    pub(crate) fn judge(self) -> Verdict {
        let verdict = Verdict(self);
        let seen = &verdict.0;
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                broken.push(what.to_owned());
            }
        };
        must(seen.mints == 1, "one partner token is enough for all");
        let told = seen.told();
        let answers_lost = seen.refreshes.saturating_sub(told);
        let lost = seen.lost.len() as u64;
        must(
            lost <= if seen.revokes { answers_lost } else { 0 },
            "no session is lost that Transak still accepts",
        );
        must(seen.logins == seen.people, "nobody had to log in again");
        let sent_to_log_in: BTreeSet<&str> = seen.wrong.iter().filter_map(|line| line.split(' ').nth(2)).collect();
        let only_lost =
            seen.wrong.iter().all(|line| line.contains(" login ")) && sent_to_log_in.len() as u64 <= answers_lost;
        must(
            seen.wrong.is_empty() || (seen.revokes && only_lost),
            "who has had a token is served, and nobody is sent to log in",
        );
        must(seen.violations == 0, "the sandbox keeps to the spec");
        must(
            seen.refused.is_empty() || seen.revokes,
            "Transak refuses nothing but what the faults make it refuse",
        );
        let (doubles, unwritten) = seen.doubles();
        must(
            doubles <= unwritten + seen.event("duplicate_upstream"),
            "two renewals of one token are told of, unless a kill came before the first was written",
        );
        must(
            doubles <= unwritten || seen.long_pauses > 0,
            "no token is renewed twice while nobody is paused for longer than a lease",
        );
        must(told <= seen.refreshes, "nobody tells of a renewal that was none");
        must(told > seen.people, "the fleet renews while all this happens");
        must(seen.down == 8, "all that are told to end do so in order");
        assert!(broken.is_empty(), "{verdict}\nBROKEN: {}", broken.join("; "));
        verdict
    }
}

/// What was seen, and it may be.
pub(crate) struct Verdict(Seen);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.0;
        let told = seen.told();
        let (doubles, unwritten) = seen.doubles();
        writeln!(
            f,
            "chaos on {}: 8 processes, {} sessions, {} s, seed {}, Transak {} old tokens",
            seen.kind.name(),
            seen.people,
            seen.span.as_secs(),
            seen.seed,
            if seen.revokes { "revokes" } else { "keeps" }
        )?;
        writeln!(
            f,
            "  blows: {:?}, pauses longer than a lease: {}",
            seen.blows, seen.long_pauses
        )?;
        writeln!(
            f,
            "  processes that were started and came up: {}, ended in order: {}",
            seen.up, seen.down
        )?;
        writeln!(f, "  mints: {} (least possible: 1)", seen.mints)?;
        writeln!(
            f,
            "  renewals Transak made: {}; told of: {told}; answers lost on the way or to kills: {}; of one token twice: {doubles}, because a kill came before the write: {unwritten}",
            seen.refreshes,
            seen.refreshes.saturating_sub(told)
        )?;
        writeln!(f, "  refusals: {:?}, faults put there: {:?}", seen.refused, seen.faults)?;
        writeln!(
            f,
            "  callers served: about {}; came before the store was there: {}",
            seen.served, seen.cold
        )?;
        writeln!(f, "  events: {:?}", seen.events)?;
        write!(f, "  sessions lost: {:?}", seen.lost)?;
        for line in seen.wrong.iter().take(10) {
            write!(f, "\n  WRONG: {line}")?;
        }
        Ok(())
    }
}
