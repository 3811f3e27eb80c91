//! The same against another emulator: moto's server, which keeps to other details of S3 and DynamoDB.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rstack::aws::{Access, Aws};
use rstack::event::{Event, Reporter};
use rstack::interrupt;
use rstack::publish::{Area, Publish, StoreState, Tree, publish};
use rstack::store::{DynamoDbStore, MemoryStore, S3Store, Store};

use super::world::{Dir, held, many};
use crate::support::block_on;
use crate::support::python::venv;

struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let port = free.port().to_string();
        let process = venv(&["moto[server]==5.2.1"])
            .command("moto_server")
            .args(["-H", "127.0.0.1", "-p", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self {
            process,
            endpoint: format!("http://{free}"),
        };
        let start = Instant::now();
        while TcpStream::connect(free).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "moto does not listen");
            sleep(Duration::from_millis(20));
        }
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Silence;

impl Reporter for Silence {
    fn report(&self, _event: &Event) {}
}

#[test]
fn seeding_and_reading_back_pass_on_moto() {
    let moto = Moto::start();
    let mut wanted = many(300, 60_000, 1);
    wanted.insert("odd name é.py".to_owned(), b"1".to_vec());
    wanted.insert("binary".to_owned(), (0..=255).collect());
    wanted.insert("empty".to_owned(), Vec::new());
    let dir = Dir::new(&wanted);
    block_on(async {
        let access = Access {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(moto.endpoint.clone()),
            credentials: Some(("test".to_owned(), "test".to_owned())),
            ..Access::default()
        };
        let aws = Aws::connect(&access).await.expect("the region is given");
        aws.s3()
            .create_bucket()
            .bucket("moto-bucket")
            .send()
            .await
            .expect("a bucket");
        crate::store::create_table(&aws, "moto-table").await;
        let s3 = S3Store::new(aws.s3().clone(), "moto-bucket");
        let dynamodb = DynamoDbStore::new(aws.dynamodb().clone(), "moto-table");
        let memory = MemoryStore::new();
        let stores: [&dyn Store; 3] = [&s3, &dynamodb, &memory];

        let (_interrupter, interrupt) = interrupt::channel();
        let tree = Tree::read(dir.path(), &Silence, &interrupt).await.expect("a tree");
        let area: Area = "main".parse().expect("an area");
        let job = Publish {
            tree: &tree,
            area: &area,
            stack_id: "arn:aws:cloudformation:stack/moto",
            stores: &stores,
            unanswered: &[],
            dry_run: false,
            reporter: &Silence,
            interrupt: &interrupt,
        };
        for sent in [wanted.len(), 0] {
            let report = publish(&job).await.expect("published");
            for store in &report.stores {
                assert_eq!((store.state, store.sent), (StoreState::Done, sent as u64), "{store:?}");
            }
        }
        for store in stores {
            assert!(held(store, "main").await == wanted, "{:?}", store.kind());
        }
    });
}
