//! Starting, finding, mending, stopping.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::process::{getpgid, kill_process};

use crate::support::local::{LocalAws, shared, with_pip};
use crate::support::{Signal, block_on};

/// Where a URL of the local AWS points.
fn address(url: &str) -> SocketAddr {
    url.rsplit('/').next().expect("a host").parse().expect("an address")
}

fn make_stack(local: &LocalAws) {
    block_on(local.make_stack("eu-west-1", "kept"));
}

fn stacks(local: &LocalAws) -> usize {
    block_on(async {
        let request = local.aws().await.cloudformation().describe_stacks();
        request.send().await.expect("answered").stacks().len()
    })
}

#[test]
fn the_same_one_is_found_again() {
    let local = LocalAws::own();
    let pids = local.processes();
    assert_eq!(pids.len(), 2);
    assert_eq!(local.done(["local", "start"]).stderr, "");
    assert_eq!(local.processes(), pids);
}

#[test]
fn many_starts_at_once_give_one() {
    let local = LocalAws::stopped();
    let starts: Vec<_> = (0..4).map(|_| local.rstack(["local", "start"]).spawn()).collect();
    let printed: Vec<String> = starts.into_iter().map(|start| start.wait().expect(0).stdout).collect();
    assert!(printed.iter().all(|text| *text == printed[0]), "{printed:?}");
    assert_eq!(local.processes().len(), 2);
}

#[test]
fn both_servers_listen_on_loopback_only_and_in_process_groups_of_their_own() {
    let local = LocalAws::own();
    for (url, server) in [(local.endpoint(), "aws"), (local.redis_url(), "redis")] {
        let port = address(url).port();
        let listening: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .flat_map(|table| {
                fs::read_to_string(table)
                    .expect("Linux")
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .map(|line| line.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" "))
            .filter(|line| line.contains(&format!(":{port:04X} ")) && line.ends_with(" 0A"))
            .collect();
        assert_eq!(listening, [format!("0100007F:{port:04X} 00000000:0000 0A")], "{server}");
        let pid = local.pid(server);
        assert_eq!(
            getpgid(Some(pid)).expect("it runs"),
            pid,
            "Ctrl-C in the terminal would reach {server}"
        );
    }
}

#[test]
fn a_proxy_in_the_environment_does_not_stand_between_this_machine_and_itself() {
    let proxy = "http://127.0.0.1:9";
    let call = shared().rstack(["local", "status"]);
    call.env("HTTP_PROXY", proxy)
        .env("HTTPS_PROXY", proxy)
        .env("ALL_PROXY", proxy)
        .run()
        .expect(0);
}

#[test]
fn stopping_leaves_no_process_and_no_port() {
    let local = LocalAws::own();
    let addresses = [address(local.endpoint()), address(local.redis_url())];
    local.done(["local", "stop"]);
    assert_eq!(local.processes(), []);
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address} still listens");
    }
    assert_eq!(local.done(["local", "stop"]).stdout, "the local AWS is not running\n");
}

#[test]
fn it_stops_with_its_last_environment_but_not_under_a_command_that_uses_it() {
    let mut local = LocalAws::stopped();
    for _ in 0..2 {
        local.start();
        make_stack(&local);
        let down = || local.rstack(["down", "-n", "kept", "--any-stack", "--yes"]).spawn();
        for down in [down(), down(), down()] {
            down.wait().expect(0);
        }
        assert_eq!(local.processes(), []);
    }
}

#[test]
fn whoever_waits_for_long_for_another_to_stop_it_says_so() {
    let local = LocalAws::own();
    let stopping = local.in_use();
    stopping.lock().expect("nobody uses it");
    let mut status = local.rstack(["status"]).spawn();
    status.until("another rstack is starting or stopping the local AWS; waiting for it");
    stopping.unlock().expect("a lock");
    status.wait().expect(0);
}

#[test]
fn a_dead_aws_is_started_again_and_its_loss_is_told() {
    let mut local = LocalAws::own();
    make_stack(&local);
    local.kill("aws");
    let output = local.done(["local", "start"]);
    assert!(output.stderr.contains("the environments in it are gone"), "{output}");
    local.start();
    assert_eq!((local.processes().len(), stacks(&local)), (2, 0));
}

#[test]
fn an_aws_that_hangs_is_replaced() {
    let local = LocalAws::own();
    let hung = local.pid("aws");
    kill_process(hung, Signal::STOP).expect("it runs");
    local.done(["local", "start"]);
    assert!(!local.processes().contains(&hung));
    assert_eq!(local.processes().len(), 2);
}

#[test]
fn a_dead_redis_alone_is_started_again_where_it_was() {
    let mut local = LocalAws::own();
    make_stack(&local);
    let (endpoint, redis_url) = (local.endpoint().to_owned(), local.redis_url().to_owned());
    local.kill("redis");
    let output = local.done(["local", "start"]);
    assert!(output.stderr.contains("rstack seed"), "{output}");
    local.start();
    assert_eq!((local.endpoint(), local.redis_url()), (&*endpoint, &*redis_url));
    assert_eq!((local.processes().len(), stacks(&local)), (2, 1));
}

#[test]
fn a_redis_that_hangs_is_replaced_and_the_environments_stay() {
    let mut local = LocalAws::own();
    make_stack(&local);
    let (hung, redis_url) = (local.pid("redis"), local.redis_url().to_owned());
    kill_process(hung, Signal::STOP).expect("it runs");
    local.done(["local", "start"]);
    local.start();
    assert!(!local.processes().contains(&hung));
    assert_eq!(local.redis_url(), redis_url);
    assert_eq!((local.processes().len(), stacks(&local)), (2, 1));
}

#[test]
fn a_dead_redis_whose_port_is_taken_makes_everything_new() {
    let mut local = LocalAws::own();
    let redis = address(local.redis_url());
    local.kill("redis");
    // The system lets go of the port of a killed process a moment later.
    let squatter = std::iter::repeat_with(|| TcpListener::bind(redis))
        .find_map(Result::ok)
        .expect("it becomes free");
    local.done(["local", "start"]);
    local.start();
    assert_ne!(address(local.redis_url()), redis);
    assert_eq!(
        (local.processes().len(), squatter.local_addr().expect("bound")),
        (2, redis)
    );
}

#[test]
fn a_damaged_state_file_ends_in_a_new_start_without_strays() {
    for damage in ["", "{\"started\": ", "[1, 2]"] {
        let local = LocalAws::own();
        let before = local.processes();
        fs::write(local.home().join("local/state.json"), damage).expect("writable");
        local.done(["local", "start"]);
        let after = local.processes();
        assert_eq!(after.len(), 2);
        assert!(before.iter().all(|pid| !after.contains(pid)), "{before:?} {after:?}");
    }
}

#[test]
fn servers_whose_folder_was_deleted_are_stopped_all_the_same() {
    let local = LocalAws::own();
    let pids = local.processes();
    fs::remove_dir_all(local.home().join("local")).expect("deleted");
    local.done(["local", "stop"]);
    for pid in pids {
        // One that has ended has no folder, even while nobody has waited for it.
        let folder = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
        assert!(folder.is_err(), "{pid:?} still runs");
    }
}

#[test]
fn a_recorded_process_id_that_now_belongs_to_another_program_is_left_alone() {
    let local = LocalAws::own();
    local.kill("aws");
    local.kill("redis");
    let mut other = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .expect("it starts");
    let path = local.home().join("local/state.json");
    let state = fs::read_to_string(&path).expect("a state");
    let mut state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    state["aws"]["pid"] = other.id().into();
    state["redis"]["pid"] = other.id().into();
    fs::write(&path, state.to_string()).expect("writable");
    local.done(["local", "stop"]);
    local.done(["local", "start"]);
    assert!(other.try_wait().expect("waitable").is_none(), "it was killed");
    other.kill().expect("it runs");
    other.wait().expect("it ends");
}

#[test]
fn a_killed_or_interrupted_installation_is_made_again() {
    let local = LocalAws::bare();
    let start = || with_pip(local.rstack(["local", "start", "--verbose"]));
    // What was killed while making the virtual environment, and while filling it, leaves processes that go on.
    for moment in ["installing", "Collecting"] {
        let mut killed = start().spawn();
        killed.until(moment).signal(Signal::KILL);
        assert_eq!(killed.wait().code(), None);
    }
    let mut interrupted = start().spawn();
    interrupted.until("Collecting").signal(Signal::INT);
    assert_eq!(interrupted.wait().expect(130).stdout, "");
    assert_eq!(local.processes(), []);
    start().run().expect(0);
    assert_eq!(local.processes().len(), 2);
}

#[test]
fn a_dead_redis_is_named_and_hides_neither_the_environments_nor_the_question_about_them() {
    let local = LocalAws::own();
    make_stack(&local);
    local.kill("redis");
    let status = local.done(["local", "status"]).stdout;
    assert!(
        status.contains("Redis does not answer; the next command that uses the local AWS starts it again, empty"),
        "{status}"
    );
    assert!(status.contains("kept         CREATE_COMPLETE"), "{status}");
    let servers = &local.done(["local", "status", "--output", "json"]).json()["data"]["running"]["servers"];
    assert_eq!(
        (&servers[0]["answers"], &servers[1]["answers"]),
        (&true.into(), &false.into())
    );
    let stop = local.rstack(["local", "stop"]).run().expect(2);
    assert!(stop.stderr.contains("loses this environment: kept"), "{stop}");
    let down = local.done(["down", "-n", "kept", "--any-stack", "--yes"]);
    assert!(down.stdout.contains("kept is gone"), "{down}");
}
