//! Packs stay few, however many releases add a little.

use rstack::release::Reader;

use super::pruning::is_right;
use super::world::{Files, World, all, files};
use crate::support::block_on;

#[test]
fn small_packs_are_merged_before_a_release_spreads_over_more_than_eight() {
    block_on(async {
        let world = World::in_memory();
        let (mut expected, mut counts) = (Files::new(), Vec::new());
        for number in 1..=20 {
            let (path, content) = (format!("{number}.py"), format!("number = {number}"));
            let own = files([(path.as_str(), content.as_str())]);
            world
                .publish_content(&own, true, &[], "one more")
                .await
                .expect("published");
            expected.extend(own);
            for place in [world.environment(), world.copy(1), world.copy(2)] {
                let reader = Reader::open(place, None).await.expect("a release");
                assert_eq!(all(&reader).await, expected);
                counts.push(reader.marker().packs.len());
            }
        }
        // One more each time up to eight, then all in one.
        let by_release: Vec<usize> = counts.chunks(3).map(|counts| counts[0]).collect();
        let cycle = (1..=8).chain(1..=8).chain(1..=4);
        assert_eq!(by_release, cycle.collect::<Vec<usize>>());
        is_right(&world).await;
    });
}
