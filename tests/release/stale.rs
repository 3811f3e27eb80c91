//! Copies of a marker that nobody compared with the one that decides for long.

use std::time::Duration;

use bytes::Bytes;
use rstack::release::{Place, Reader};
use rstack::store::{Body, Put};
use rstack::time::Timestamp;

use super::world::{World, files, summed};
use crate::support::block_on;

fn place(world: &World, limit: Duration) -> Place {
    Place {
        stale: Some(limit),
        ..world.copy(1)
    }
}

/// Lets the copy's move and confirmation be this old.
async fn age(world: &World, seconds: i64) {
    let store = &world.stores[1];
    for key in ["prod/.rstack/marker", "prod/.rstack/confirmed"] {
        let value = store
            .get_many(&[key.to_owned()])
            .await
            .expect("read")
            .remove(0)
            .expect("it is there");
        let mut json: serde_json::Value = serde_json::from_slice(&value).expect("JSON");
        json["time"] = Timestamp::now().shifted(-seconds).to_string().into();
        let text = json.to_string();
        let value = if key.ends_with("/marker") {
            summed(&text)
        } else {
            Bytes::from(text)
        };
        let put = Put {
            key: key.to_owned(),
            body: Body::Bytes(value),
        };
        store
            .put_many(&mut std::iter::once(put), &|_, _| ())
            .await
            .expect("written");
    }
}

#[test]
fn a_copy_is_taken_while_it_was_known_to_be_current_and_the_next_seed_confirms_it() {
    let content = files([("a.py", "a = 1")]);
    let hour = Duration::from_hours(1);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        Reader::open(place(&world, hour), None).await.expect("just published");
        age(&world, 3000).await;
        Reader::open(place(&world, hour), None).await.expect("50 minutes");
        age(&world, 4000).await;
        let error = Reader::open(place(&world, hour), None).await.expect_err("stale");
        let text = error.to_string();
        assert!(
            text.contains("the copy of area `prod` in this process is stale") && text.contains("more than 1h ago"),
            "{text}"
        );
        assert!(error.hint.is_some());
        assert_eq!(error.exit_code(), 1);
        Reader::open(world.copy(1), None).await.expect("without a limit");
        let again = world.publish(&content, "again").await.expect("there");
        assert!(!again.new);
        Reader::open(place(&world, hour), None).await.expect("confirmed");
    });
}
