//! The randomness of one process: from the machine, or from a seed, so that the same seed gives the same waits again.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{SeedableRng, rngs::StdRng};

/// A source of randomness. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// From the machine.
    pub fn from_machine() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A generator for one use.
    pub fn draw(&self) -> StdRng {
        StdRng::from_rng(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn one_seed_gives_one_row_of_different_generators() {
        let row = |seed| {
            let chance = Chance::seeded(seed);
            [(); 3].map(|()| chance.draw().random::<u64>())
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
        assert_ne!(row(1)[0], row(1)[1]);
    }
}
