"""How soon the end of a stack operation is noticed, and what the watching costs."""

import json
import subprocess
import time
import urllib.request

import measure
from counting import Counting

TITLE = "Noticing the end of an operation"
TARGET = (
    "Within 1 s in the first minute and within 5 s later, with at most one read a second on average over an operation of "
    "more than a minute (Redis takes several on AWS), falling to one in five seconds. A short one is read more often: "
    "six times in its first two seconds."
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


def run(bench, report):
    template = bench.files / "wait.yaml"
    template.write_text(TEMPLATE)
    rows, good = [], True
    for after in (3, 6) if bench.quick else (5, 20, 40, 90):
        delay, reads = watch(bench, template, after)
        rows.append([f"{after} s", f"{delay:.2f} s", str(reads), f"{reads / after:.2f}"])
        good = good and (delay <= 1 if after < 60 else delay <= 5 and reads <= after)
    report.table(["The operation ends after", "Noticed after", "Reads", "Reads a second"], rows)
    report.verdict(good)


def watch(bench, template, after) -> tuple[float, int]:
    """Seconds from the signal to the end of `rstack up`, and what it read until the signal."""
    name = bench.name("notice")
    with Counting(bench.env["AWS_ENDPOINT_URL"]) as counting:
        env = bench.env | {"AWS_ENDPOINT_URL": counting.url}
        up = [str(bench.binary), "up", "-n", name, "--template", str(template), "--output", "plain"]
        began = time.perf_counter()
        process = subprocess.Popen(up, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        shown = measure.run([bench.binary, "status", "-n", name, "--local", "--output", "json"], bench.env)
        handle = physical_id(json.loads(shown.splitlines()[-1])["data"], "Handle")
        time.sleep(max(0, began + after - time.perf_counter()))
        reads = counting.count("DescribeStackEvents") + counting.count("DescribeStacks")
        signal(handle)
        signalled = time.perf_counter()
        if process.wait() != 0:
            raise measure.Failed(f"rstack up ended with {process.returncode}")
        delay = time.perf_counter() - signalled
    measure.run(bench.rstack("down", "-n", name, "--yes"), bench.env)
    return delay, reads


def physical_id(status, logical_id) -> str:
    return next(r["physical_id"] for r in status["resources"] if r["logical_id"] == logical_id)


def signal(url):
    body = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "", "Reason": "bench"}).encode()
    # CloudFormation takes a signal only with an empty content type.
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")).close()
