//! A disk that takes nothing more. The child's files may not grow beyond a limit, which fails its writes halfway, as a full disk
//! does, and needs no rights.

use super::{
    bench::options,
    child::{Said, change, hear, numbers, start},
};
use crate::store::{SledStore, Store};

const VALUE_BYTES: usize = 60 * 1024;

#[tokio::test]
async fn a_full_disk_stops_the_store_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = Vec::new();
    // Twice: the second time it is full from the beginning, or nearly.
    for limit_mib in [40, 44] {
        let (mut child, mut output) = start(folder.path(), VALUE_BYTES, Some(limit_mib));
        let mut refused = None;
        while let Some(said) = hear(&mut output) {
            match said {
                Said::Acknowledged(number) => acknowledged.push(number),
                Said::Refused(reason) => refused = Some(reason),
            }
        }
        assert!(child.wait().expect("ends").success(), "the child's own checks");
        let reason = refused.expect("a commit was refused");
        assert!(reason.contains("large") || reason.contains("space"), "{reason}");
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    // There is space again.
    let store = SledStore::open(folder.path(), &options()).expect("opens");
    let found = numbers(&store, VALUE_BYTES).await;
    assert!(acknowledged.iter().all(|number| found.binary_search(number).is_ok()));
    let next = found.last().expect("some") + 1;
    store.commit(change(next, VALUE_BYTES)).await.expect("takes work again");
    assert_eq!(numbers(&store, VALUE_BYTES).await.last(), Some(&next));
}
