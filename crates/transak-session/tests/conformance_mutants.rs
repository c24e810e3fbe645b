//! The suite can fail: a store with a defect is caught, and by the rule that is about that defect.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "mutants/mod.rs"]
mod mutants;

use std::collections::BTreeSet;

use transak_session::store::conformance::{Suite, rules};

use mutants::{Fault, Workshop};

/// Each defect, and the rule that it breaks. Every rule is broken by at least one.
const DEFECTS: &[(Fault, &str)] = &[
    (Fault::IgnoresVersions, "versions::conditional"),
    (Fault::VersionsFall, "versions::only_grow"),
    (Fault::RestartsVersionsAfterDeletion, "versions::survive_deletion"),
    (Fault::LosesRecordsOnReopening, "versions::survive_reopening"),
    (Fault::DeletesNeighbours, "versions::independent_keys"),
    (Fault::GrantsTwice, "leases::exclude"),
    (Fault::LapsesLate, "leases::lapse_by_the_stores_clock"),
    (Fault::NeedsRecord, "leases::need_no_record"),
    (Fault::HidesRecord, "leases::show_the_record"),
    (Fault::HidesAbandonment, "leases::report_abandonment"),
    (Fault::EpochsFall, "leases::epochs_only_grow"),
    (Fault::IgnoresExtension, "leases::can_be_extended"),
    (Fault::ReleasesAnybodys, "leases::stale_ones_do_nothing"),
    (Fault::RefusesStaleFinish, "leases::stale_ones_do_not_stop_a_write"),
    (Fault::IgnoresFinish, "leases::finishing_ends_the_lease"),
    (Fault::EndsOnConflict, "leases::conflicts_end_nothing"),
    (Fault::FinishesOtherKeys, "leases::finishing_names_the_key"),
    (Fault::DeletesLease, "leases::outlive_the_record"),
    (Fault::CutsSpans, "leases::any_span_will_do"),
    (Fault::LosesLeasesOnReopening, "leases::survive_reopening"),
    (Fault::ClaimsPartner, "due::only_kept_alive_users"),
    (Fault::ClaimsDormant, "due::only_kept_alive_users"),
    (Fault::ClaimsOtherTenants, "due::only_kept_alive_users"),
    (Fault::BoundaryOneOff, "due::lanes_by_remaining_life"),
    (Fault::LanesAtWriting, "due::lanes_change_with_time"),
    (Fault::SkipsExpired, "due::expired_is_critical"),
    (Fault::LeastUrgentFirst, "due::most_urgent_first"),
    (Fault::NormalByExpiry, "due::most_urgent_first"),
    (Fault::OneTooMany, "due::limits"),
    (Fault::NoLimitAtZero, "due::limits"),
    (Fault::WakesLate, "due::wake_times"),
    (Fault::WakesEarly, "due::wake_times"),
    (Fault::ClaimsLeased, "due::leased_ones_are_left_out"),
    (Fault::InventsLeases, "due::leases_are_real"),
    (Fault::IndexesFirstWrite, "due::follows_the_record"),
    (Fault::KeepsDeleted, "due::deletion_removes"),
    (Fault::LosesIndexOnReopening, "due::survives_reopening"),
    (Fault::CountsEverything, "forecast::counts"),
    (Fault::LeavesLeasedOut, "forecast::counts"),
    (Fault::HorizonOneOff, "forecast::horizons"),
    (Fault::SortsHorizons, "forecast::horizons"),
    (Fault::RemembersForecast, "forecast::follows_changes"),
    (Fault::MixesFields, "content::every_field"),
    (Fault::LapsesLogouts, "content::states_and_kinds"),
    (Fault::DropsNegativeTimes, "content::extreme_times"),
    (Fault::DropsIpv6, "content::addresses"),
    (Fault::CutsTokens, "content::token_lengths"),
    (Fault::ReversesRetired, "content::retired_tokens"),
    (Fault::KeepsOldRetired, "content::nothing_is_left_over"),
    (Fault::ForgetsTenants, "content::tenants_are_separate"),
    (Fault::ShowsTokens, "content::nothing_secret_is_shown"),
    (Fault::IgnoresPace, "pace::never_more_than_the_rate"),
    (Fault::NeverFills, "pace::fills_with_time"),
    (Fault::CreditsIdleness, "pace::unused_time_is_no_credit"),
    (Fault::OneBucket, "pace::tenants_are_separate"),
    (Fault::KeepsUnused, "pace::unused_permits_come_back"),
    (Fault::RoundsUp, "pace::slow_rates"),
    (Fault::HintsAtNothing, "hints::tell_of_writes"),
    (Fault::HintsAhead, "hints::tell_of_writes"),
    (Fault::HintsToAll, "hints::tenants_are_separate"),
    (Fault::DrawsBlindly, "races::permits_are_never_shared"),
    (Fault::CreatesBlindly, "races::one_creator"),
    (Fault::WritesBlindly, "races::one_writer_per_version"),
    (Fault::WritesBlindly, "races::nothing_is_lost"),
    (Fault::ClaimsBlindly, "races::one_holder"),
    (Fault::ClaimsDueBlindly, "races::due_claims_are_never_shared"),
    (Fault::WritesInTwoSteps, "drops::swaps"),
    (Fault::DeletesInTwoSteps, "drops::deletions"),
    (Fault::ClaimsInTwoSteps, "drops::claims"),
    (Fault::ReleasesInTwoSteps, "drops::ends"),
    (Fault::ClaimsDueInTwoSteps, "drops::due_claims"),
    (Fault::SkipsSomeDeletions, "model::random_histories"),
    (Fault::LapsesLate, "model::random_histories"),
    (Fault::BoundaryOneOff, "model::random_histories"),
    (Fault::HorizonOneOff, "model::random_histories"),
    (Fault::FinishesOtherKeys, "model::random_histories"),
];

#[tokio::test]
async fn each_defect_is_caught_by_the_rule_about_it() {
    let mut missed = Vec::new();
    for (fault, rule) in DEFECTS {
        let report = Suite::new().only(&[rule]).probe(&Workshop(*fault)).await;
        assert_eq!(report.untried().count(), 0, "{rule}");
        if report.broken().map(|(name, _)| name).ne([*rule]) {
            missed.push((fault, rule));
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[tokio::test]
async fn every_rule_is_broken_by_some_defect() {
    let tried: BTreeSet<_> = DEFECTS.iter().map(|(_, rule)| *rule).collect();
    let all: BTreeSet<_> = rules().iter().map(|rule| rule.name()).collect();
    assert_eq!(tried, all);
}

/// What the defects are built into keeps all rules, with the memory store's due index and with a plain one.
#[tokio::test]
async fn the_workshop_itself_is_sound() {
    for fault in [Fault::None, Fault::PlainIndex] {
        let report = Suite::new().run(&Workshop(fault)).await;
        assert_eq!(report.kept().count(), rules().len());
    }
}
