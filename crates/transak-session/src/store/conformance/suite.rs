//! Runs the rules.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::{
    Broken, Harness, Outcome, Stage, TestBed, content, drops, due, forecast, hints, leases, model, pace, races,
    versions,
};

/// Runs all rules, each on a fresh store.
///
/// # Panics
///
/// With the names of the broken rules, how each was seen to be broken, and the seed.
pub async fn run(harness: &dyn Harness) -> Report {
    Suite::new().run(harness).await
}

type Check = for<'a> fn(&'a mut Stage) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One rule.
///
/// The [suite](crate::store::conformance) shows its use.
#[derive(Clone, Copy)]
pub struct Rule {
    name: &'static str,
    check: Check,
}

impl Rule {
    /// Its name: the path of its function within this module.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tries the rule on an empty store.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub async fn check(&self, stage: &mut Stage) -> Outcome {
        (self.check)(stage).await
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.name)
    }
}

macro_rules! table {
    ($($group:ident: $($rule:ident),+;)+) => {
        &[$($(Rule {
            name: concat!(stringify!($group), "::", stringify!($rule)),
            check: |stage| Box::pin($group::$rule(stage)),
        }),+),+]
    };
}

/// All rules.
#[must_use]
pub fn rules() -> &'static [Rule] {
    table! {
        versions: conditional, only_grow, survive_deletion, survive_reopening, independent_keys;
        leases: exclude, lapse_by_the_stores_clock, need_no_record, show_the_record, report_abandonment, epochs_only_grow,
            can_be_extended, stale_ones_do_nothing, stale_ones_do_not_stop_a_write, finishing_ends_the_lease,
            conflicts_end_nothing, finishing_names_the_key, outlive_the_record, any_span_will_do, survive_reopening;
        due: only_kept_alive_users, lanes_by_remaining_life, lanes_change_with_time, expired_is_critical, most_urgent_first,
            limits, wake_times, leased_ones_are_left_out, leases_are_real, follows_the_record, deletion_removes,
            survives_reopening;
        forecast: counts, horizons, follows_changes;
        content: every_field, states_and_kinds, extreme_times, addresses, token_lengths, retired_tokens, nothing_is_left_over,
            tenants_are_separate, nothing_secret_is_shown;
        pace: never_more_than_the_rate, fills_with_time, unused_time_is_no_credit, tenants_are_separate,
            unused_permits_come_back, slow_rates;
        hints: tell_of_writes, tenants_are_separate;
        races: one_creator, one_writer_per_version, nothing_is_lost, one_holder, due_claims_are_never_shared, permits_are_never_shared;
        drops: swaps, deletions, claims, ends, due_claims;
        model: random_histories;
    }
}

/// The rules with settings.
///
/// The [suite](crate::store::conformance) shows its use.
#[derive(Clone, Debug)]
pub struct Suite {
    seed: u64,
    sequences: u32,
    steps: u32,
    only: Option<Vec<String>>,
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// The usual settings.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seed: 0x5e55_1045,
            sequences: 12,
            steps: 250,
            only: None,
        }
    }

    /// The seed of the random histories.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many random histories, and how many commands in each.
    #[must_use]
    pub fn histories(mut self, number: u32, commands: u32) -> Self {
        (self.sequences, self.steps) = (number, commands);
        self
    }

    /// Only rules whose name contains one of these.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.only = Some(names.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Sets a test bed up for one rule.
    #[must_use]
    pub fn stage(&self, bed: Box<dyn TestBed>) -> Stage {
        Stage::set(bed, self.seed, self.sequences, self.steps)
    }

    /// Runs the rules and tells what came of each.
    pub async fn probe(&self, harness: &dyn Harness) -> Report {
        let mut report = Report {
            seed: self.seed,
            results: Vec::new(),
        };
        let wanted = |rule: &&Rule| match &self.only {
            Some(names) => names.iter().any(|name| rule.name.contains(name.as_str())),
            None => true,
        };
        for rule in rules().iter().filter(wanted) {
            let mut stage = self.stage(harness.fresh().await);
            report.results.push((rule.name, rule.check(&mut stage).await));
        }
        report
    }

    /// Runs the rules.
    ///
    /// # Panics
    ///
    /// If a rule is broken or none was chosen; see [`run`].
    #[allow(clippy::panic)]
    pub async fn run(&self, harness: &dyn Harness) -> Report {
        let report = self.probe(harness).await;
        if report.results.is_empty() || report.broken().next().is_some() {
            panic!("this is no session store:\n{report}");
        }
        report
    }
}

/// What came of each rule.
///
/// The [suite](crate::store::conformance) shows its use.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    seed: u64,
    results: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// The rules that held.
    pub fn kept(&self) -> impl Iterator<Item = &'static str> {
        self.results.iter().filter(|(_, r)| r.is_ok()).map(|(name, _)| *name)
    }

    /// The rules that were broken, and how that was seen.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.results.iter().filter_map(|(name, r)| match r {
            Err(Broken::Rule(how)) => Some((*name, how.as_str())),
            _ => None,
        })
    }

    /// The rules that could not be tried, and what the test bed lacks.
    pub fn untried(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.results.iter().filter_map(|(name, r)| match r {
            Err(Broken::Untried(why)) => Some((*name, *why)),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, how) in self.broken() {
            writeln!(f, "broken: {rule}: {how}")?;
        }
        for (rule, why) in self.untried() {
            writeln!(f, "not tried: {rule}: {why}")?;
        }
        write!(f, "{} rules kept; seed {:#x}", self.kept().count(), self.seed)
    }
}
