//! The binary on a real pseudo-terminal, by Python's `pty`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const SCRIPT: &str = r#"
import fcntl, json, os, pty, select, struct, sys, termios, time
task = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.05)  # until the size is set
    os.execvpe(task["command"][0], task["command"], task["env"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, task["columns"], 0, 0))
text, typed, deadline = b"", task["typed"], time.time() + 60
while time.time() < deadline:
    if typed and typed[0][0].encode() in text:
        time.sleep(0.1)
        os.write(fd, typed.pop(0)[1].encode())
    if select.select([fd], [], [], 0.05)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
print(json.dumps({"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "text": text.decode()}))
"#;

/// What a terminal got, control codes and all, and the exit code.
pub(crate) struct Session {
    pub(crate) code: i64,
    pub(crate) text: String,
}

/// Runs `rstack` with this environment on a terminal of so many columns. Each of `typed` is a text to wait for and
/// what is typed then.
pub(crate) fn session(args: &[&str], env: &[(&str, &str)], columns: u16, typed: &[(&str, &str)]) -> Session {
    let command: Vec<&str> = [env!("CARGO_BIN_EXE_rstack")]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut variables = json!({ "PATH": path, "HOME": "/nonexistent", "TERM": "xterm-256color" });
    for (name, value) in env {
        variables[*name] = json!(value);
    }
    let task = json!({ "command": command, "env": variables, "columns": columns, "typed": typed });
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut stdin = python.stdin.take().expect("piped");
    stdin.write_all(task.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let output = python.wait_with_output().expect("it ends");
    let ended: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    Session {
        code: ended["code"].as_i64().expect("a code"),
        text: ended["text"].as_str().expect("text").to_owned(),
    }
}
