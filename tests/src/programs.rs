//! Finding the executable that plays all roles.

use std::path::PathBuf;

use sandbox::world::Programs;

/// The programs to test: `SEGUE_SANDBOX`, else the `segue-sandbox` beside the test's own executable.
///
/// # Panics
/// When it was not built: a test that cannot run fails and says what to do.
pub fn programs() -> Programs {
    let path = std::env::var_os("SEGUE_SANDBOX").map_or_else(beside_the_test, PathBuf::from);
    assert!(path.is_file(), "{} is not there: build it first with `cargo build --release --workspace`", path.display());
    Programs::of(path)
}

fn beside_the_test() -> PathBuf {
    let mut path = std::env::current_exe().expect("the system knows which file runs");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("segue-sandbox")
}
