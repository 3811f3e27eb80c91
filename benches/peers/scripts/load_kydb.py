"""Reads every script by itself through KYDB: load_kydb.py write|read STORE PLACE BASE TREE FILE

FILE lists the paths below TREE. `write` writes them; for DynamoDB it makes a table named BASE, as KYDB wants its own indexes.
`read` reads a line for each run from stdin and answers it with the seconds that the run took, from a connection that was never
used to the last script.
"""

import sys
import time
from pathlib import Path

import kydb

todo, store, place, base, tree, listed = sys.argv[1:]
paths = Path(listed).read_text().splitlines()


def url():
    if store == "dynamodb":
        return f"dynamodb://{base}/scripts"
    return f"{place}/{base}" if store == "redis" else f"s3://{place}/{base}"


def table():
    import boto3

    index = {"Projection": {"ProjectionType": "ALL"}}
    folder = {"AttributeName": "folder", "KeyType": "HASH"}
    boto3.client("dynamodb").create_table(
        TableName=base,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in (("path", "S"), ("folder", "S"), ("mtime", "N"))
        ],
        KeySchema=[{"AttributeName": "path", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {"IndexName": "folder-index", "KeySchema": [folder], **index},
            {"IndexName": "folder-time-index", "KeySchema": [folder, {"AttributeName": "mtime", "KeyType": "RANGE"}], **index},
        ],
    )


def write():
    if store == "dynamodb":
        table()
    database = kydb.connect(url())
    for path in paths:
        database[f"/{path}"] = (Path(tree) / path).read_text()


def read() -> float:
    # KYDB keeps one for each URL, for ever, with all that it has read.
    kydb.api._db_cache.clear()
    database = kydb.connect(url())
    start = time.perf_counter()
    assert all(database[f"/{path}"] is not None for path in paths)
    return time.perf_counter() - start


if todo == "write":
    write()
else:
    for _ in sys.stdin:
        print(read(), flush=True)
