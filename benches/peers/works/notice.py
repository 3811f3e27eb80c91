"""How soon the end of a stack operation is noticed, and what the watching costs."""

import json
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import measure
from counting import Counting

TITLE = "Noticing the end of an operation"
TARGET = (
    "Within 1 s in the first minute and within 5 s later, with at most one read a second on average, falling to one in "
    "five seconds."
)

# Stays in CREATE_IN_PROGRESS until its handle is signalled.
TEMPLATE = """\
Resources:
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    Properties: {Handle: {Ref: Handle}, Timeout: 600}
"""
# Reads come at fixed times, so an end is tried at several places between two of them.
PARTS = (0.1, 0.35, 0.6, 0.85)


def run(bench, report):
    template = bench.files / "wait.yaml"
    template.write_text(TEMPLATE)
    lengths = (2, 5) if bench.quick else (2, 5, 20, 40, 90, 180)
    ends = [(length, length + part * (1 if length < 60 else 5)) for length in lengths for part in PARTS]
    # All at once: they wait most of the time.
    with ThreadPoolExecutor(len(ends)) as pool:
        watched = list(pool.map(lambda end: (end[0], *watch(bench, template, end[1])), ends))
    rows, good = [], True
    for length in lengths:
        ours = [(lasted, delay, reads) for of, lasted, delay, reads in watched if of == length]
        delay = max(delay for _, delay, _ in ours)
        rate = max(len(reads) / lasted for lasted, _, reads in ours)
        lately = max(sum(lasted - 30 <= at for at in reads) / min(lasted, 30) for lasted, _, reads in ours)
        shortest, longest = min(ours)[0], max(ours)[0]
        rows.append([f"{shortest:.1f} to {longest:.1f} s", f"{delay:.2f} s", f"{rate:.2f}", f"{lately:.2f}"])
        good = good and delay <= (1 if longest < 60 else 5) and rate <= 1
        good = good and (length < 180 or lately <= 0.2)
    report.table(["The operation ends after", "Noticed after", "Reads a second", "In its last 30 s"], rows)
    report.note(
        f"The worst of {len(PARTS)} operations of each length. A read is any DescribeStackEvents or DescribeStacks between "
        "the request for the operation and its end."
    )
    report.verdict(good)


def watch(bench, template, after) -> tuple[float, float, list[float]]:
    """How long the operation lasted, how long after its end `rstack up` ended, and when it read, in seconds from the
    request for the operation."""
    name = bench.name("notice")
    with Counting(bench.env["AWS_ENDPOINT_URL"]) as counting:
        env = bench.env | {"AWS_ENDPOINT_URL": counting.url}
        up = [str(bench.binary), "up", "-n", name, "--template", str(template), "--output", "plain"]
        process = subprocess.Popen(up, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (asked := counting.times("CreateStack")) and process.poll() is None:
            time.sleep(0.05)
        began = asked[0]
        time.sleep(1)
        shown = measure.run([bench.binary, "status", "-n", name, "--local", "--output", "json"], bench.env)
        handle = physical_id(json.loads(shown.splitlines()[-1])["data"], "Handle")
        time.sleep(max(0, began + after - time.perf_counter()))
        signal(handle)
        signalled = time.perf_counter()
        if process.wait() != 0:
            raise measure.Failed(f"rstack up ended with {process.returncode}")
        delay = time.perf_counter() - signalled
        reads = [at - began for at in counting.times("DescribeStackEvents", "DescribeStacks") if began < at < signalled]
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)
    return signalled - began, delay, reads


def physical_id(status, logical_id) -> str:
    return next(r["physical_id"] for r in status["resources"] if r["logical_id"] == logical_id)


def signal(url):
    body = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "", "Reason": "bench"}).encode()
    # CloudFormation takes a signal only with an empty content type.
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")).close()
