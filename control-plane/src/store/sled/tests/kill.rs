//! A process that commits is killed, again and again.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    bench::options,
    child::{Said, hear, numbers, start},
};
use crate::store::SledStore;

const ROUNDS: usize = 25;
const VALUE_BYTES: usize = 700;

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rng = StdRng::seed_from_u64(7);
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let (mut child, mut output) = start(folder.path(), VALUE_BYTES, None);
        let before = acknowledged.len();
        let kill_after = rng.random_range(1..250);
        while let Some(Said::Acknowledged(number)) = hear(&mut output) {
            acknowledged.push(number);
            if acknowledged.len() - before == kill_after {
                child.kill().expect("is killed");
            }
        }
        child.wait().expect("ends");
        assert!(acknowledged.len() - before >= kill_after, "the child ended by itself");
        let store = SledStore::open(folder.path(), &options()).expect("opens after a kill");
        let found = numbers(&store, VALUE_BYTES).await;
        let lost: Vec<_> = acknowledged.iter().filter(|number| found.binary_search(number).is_err()).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
    }
}
