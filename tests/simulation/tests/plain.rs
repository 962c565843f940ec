//! Nothing goes wrong, and everything is as it should be; and one seed gives one run.

use simulation::{Planted, Run, Scenario, run, run_in_full, run_scenario};

fn well(run: &Run) {
    assert!(run.violations.is_empty(), "seed {}: {:?}\n{}", run.seed, run.violations, run.story);
}

#[test]
fn one_deployment_by_one_delegate_succeeds() {
    let run = run_scenario(1, &Scenario::plain(), Planted::Nothing);
    well(&run);
    assert!(run.story.contains("Finished { outcome: Succeeded }"), "{}", run.story);
    assert!(run.writes >= 8, "{}", run.story);
}

#[test]
fn the_same_seed_gives_the_same_run_byte_for_byte() {
    for seed in 0..40 {
        let (first, second) = (run(seed, Planted::Nothing), run(seed, Planted::Nothing));
        assert_eq!(first.story, second.story, "seed {seed}");
        assert_eq!(first.simulated, second.simulated);
    }
    for seed in 40..45 {
        let (first, second) = (run_in_full(seed, Planted::Nothing), run_in_full(seed, Planted::Nothing));
        assert_eq!(first.story, second.story, "seed {seed} with all that the programs say");
        assert!(first.story.contains("INFO"), "the programs say nothing");
    }
    assert_ne!(run(1, Planted::Nothing).story, run(2, Planted::Nothing).story);
}
