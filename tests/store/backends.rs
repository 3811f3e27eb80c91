//! Each backend with every function of the contract.

use aws_sdk_s3::types::CreateBucketConfiguration;
use rstack::store::{DynamoDbStore, FileStore, MemoryStore, RedisStore, S3Store, Store};
use tempfile::TempDir;

use super::contract;
use crate::support::{block_on, local};

macro_rules! contract {
    ($($backend:ident: $open:expr;)*) => {$(
        mod $backend {
            use super::*;

            contract!(@cases $open; values_come_back_byte_for_byte, absent_is_a_miss_and_not_an_error,
                overwriting_and_deleting, odd_keys_are_kept_apart, large_values, batches_over_every_limit,
                stretches_of_values, listing_by_prefix, one_of_many_writers_wins, comparing_and_setting, large_values_compare_and_set,
                a_changed_file_is_not_stored, copying_inside_the_store, an_iterator_that_ends_ends_the_writing, holding_a_value);
        }
    )*};
    (@cases $open:expr; $($case:ident),*) => {$(
        #[test]
        fn $case() {
            // Outside of the runtime, as starting it needs one.
            let _ = local::shared();
            block_on(async {
                let area = local::unique("contract");
                let opened: Opened = $open(area.clone()).await;
                contract::$case(&*opened.store, &area).await;
            });
        }
    )*};
}

contract! {
    memory: async |_: String| Opened::new(MemoryStore::new());
    file: async |_: String| in_a_folder();
    s3: s3;
    dynamodb: dynamodb;
    redis: async |_: String| Opened::new(RedisStore::new(local::shared().redis_url().parse().expect("an address")));
}

struct Opened {
    store: Box<dyn Store>,
    /// Goes with it.
    _folder: Option<TempDir>,
}

impl Opened {
    fn new(store: impl Store + 'static) -> Self {
        Self {
            store: Box::new(store),
            _folder: None,
        }
    }
}

fn in_a_folder() -> Opened {
    let folder = TempDir::new().expect("a folder");
    Opened {
        store: Box::new(FileStore::new(folder.path())),
        _folder: Some(folder),
    }
}

async fn s3(area: String) -> Opened {
    let aws = local::shared().aws().await;
    let here = CreateBucketConfiguration::builder()
        .location_constraint(aws.region().into())
        .build();
    let bucket = aws.s3().create_bucket().bucket(&area).create_bucket_configuration(here);
    bucket.send().await.expect("a bucket");
    Opened::new(S3Store::new(aws.s3().clone(), area))
}

async fn dynamodb(area: String) -> Opened {
    let aws = local::shared().aws().await;
    super::leftovers::create_table(&aws, &area).await;
    Opened::new(DynamoDbStore::new(aws.dynamodb().clone(), area))
}
