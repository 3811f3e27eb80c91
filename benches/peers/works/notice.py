"""How soon the end of a stack operation is noticed, and what the watching costs."""

import json
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import deploying
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
# By other tools: how often they read tells how long they take to notice, so that one of the middle lengths is enough.
OTHERS = {"AWS CLI deploy": deploying.awscli, "SAM deploy": deploying.sam, "sceptre launch": deploying.sceptre}
OTHERS_LENGTH = 20
BEGINS = ("CreateStack", "ExecuteChangeSet")
READS = ("DescribeStackEvents", "DescribeStacks")
# Where an operation ends between two reads: as soon as one has been answered, which is the worst moment, and evenly from
# there to the next.
PLACES = [place / 8 for place in range(8)]
LATELY = 20


def run(bench, report):
    template = bench.files / "wait.yaml"
    template.write_text(TEMPLATE)
    lengths, tools = ((2, 5), {}) if bench.quick else ((2, 5, 20, 40, 90), OTHERS)
    ends = [(length, place) for length in lengths for place in PLACES]
    # All at once, since they wait most of the time; begun one by one, since beginning takes work, and the shortest last, so
    # that none ends while others begin.
    with ThreadPoolExecutor(len(ends) + len(tools)) as pool:
        others = [pool.submit(watch, bench, template, OTHERS_LENGTH, 0, 0, deploy) for deploy in tools.values()]
        waits = [0.15 * later for later in reversed(range(len(ends)))]
        watched = list(pool.map(lambda end, wait: watch(bench, template, *end, wait), ends, waits))
        others = [other.result() for other in others]
    rows, good = [], True
    for number, length in enumerate(lengths):
        ours = watched[number * len(PLACES) : (number + 1) * len(PLACES)]
        rows.append(row(ours))
        good = good and max(delay for _, delay, _ in ours) <= bound(length)
    rows.append(["all of them", *row(watched)[1:]])
    good = good and rate(watched) <= 1
    for tool, other in zip(tools, others):
        lasts, *rest = row([other])
        rows.append([f"{lasts}, by {tool}", *rest])
    report.table(["The operation ends after", "Noticed after at most", "Reads a second"], rows)
    late = [at for lasted, _, reads in ours for at in reads if at >= lasted - LATELY]
    report.note(
        f"{len(PLACES)} operations of each length, which end as soon as a read has been answered or evenly between there and "
        "the next; of each other tool one, which ends as soon as a read has been answered. Noticed means that `rstack up`, or "
        f"the other tool, has ended. A read is any {' or '.join(READS)} between the request for the operation and its end; the "
        "average is that of all operations of rstack. One that ends within its first minute is by itself "
        "read a little more often than once a second, since two reads more than a second apart could not notice an end "
        "between them within one: once at its start, and then as often as leaves an answer the time to come within the "
        f"second. In their last {LATELY} s the longest operations were read {len(late) / LATELY / len(ours):.2f} times a second."
    )
    report.verdict(good)


def bound(length) -> float:
    """How soon the end of an operation of that length is noticed, in seconds."""
    return 1 if length < 60 else 5


def row(watched) -> list[str]:
    lasted = sorted(lasted for lasted, _, _ in watched)
    delay = max(delay for _, delay, _ in watched)
    return [f"{lasted[0]:.1f} to {lasted[-1]:.1f} s", f"{delay:.2f} s", f"{rate(watched):.2f}"]


def rate(watched) -> float:
    """Reads a second, of all of these operations together."""
    return sum(len(reads) for _, _, reads in watched) / sum(lasted for lasted, _, _ in watched)


def rstack(bench, template, name):
    return [bench.binary, "up", "-n", name, "--template", template, "--output", "plain"], None


def watch(bench, template, length, place, wait, deploy=rstack) -> tuple[float, float, list[float]]:
    """How long the operation lasted, how long after its end the tool ended, and when it read, in seconds from the request for
    the operation."""
    time.sleep(wait)
    name = bench.name("notice")
    command, folder = deploy(bench, template, name)
    with Counting(bench.env["AWS_ENDPOINT_URL"]) as counting:
        env = bench.env | {"AWS_ENDPOINT_URL": counting.url}
        unheard = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([str(word) for word in command], env=env, cwd=folder, **unheard)
        while not (asked := counting.times(*BEGINS)) and process.poll() is None:
            time.sleep(0.05)
        if not asked:
            raise measure.Failed(f"{command[0]} ended before it created a stack")
        began = asked[0]
        time.sleep(1)
        shown = measure.run([bench.binary, "status", "-n", name, "--local", "--output", "json"], bench.env)
        handle = physical_id(json.loads(shown.splitlines()[-1])["data"], "Handle")
        time.sleep(max(0, began + length - time.perf_counter()))
        counting.wait_for_answer(*READS)
        time.sleep(place * bound(length))
        signal(handle)
        signalled = time.perf_counter()
        if process.wait() != 0:
            raise measure.Failed(f"{command[0]} ended with {process.returncode}")
        delay = time.perf_counter() - signalled
        reads = [at - began for at in counting.times(*READS) if began < at < signalled]
    measure.run(bench.rstack("down", "-n", name, "--any-stack", "--yes"), bench.env)
    return signalled - began, delay, reads


def physical_id(status, logical_id) -> str:
    return next(r["physical_id"] for r in status["resources"] if r["logical_id"] == logical_id)


def signal(url):
    body = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "", "Reason": "bench"}).encode()
    # CloudFormation takes a signal only with an empty content type.
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")).close()
