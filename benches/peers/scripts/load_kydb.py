"""Reads every script by itself through KYDB: load_kydb.py STORE PLACE BASE TREE PATH...

Writes them first, which is not counted, and prints the seconds from a connection that was never used to the last script.
BASE has to be new; for DynamoDB a table of that name is made, as KYDB wants its own indexes.
"""

import os
import sys
import time
from pathlib import Path

# Writing is not measured: it goes round the delay.
STORE, PLACE, BASE, TREE, *PATHS = sys.argv[1:]
REDIS = STORE == "redis"


def url(place):
    if STORE == "dynamodb":
        return f"dynamodb://{BASE}/scripts"
    return f"{place}/{BASE}" if REDIS else f"s3://{place}/{BASE}"


def table():
    import boto3

    index = {"Projection": {"ProjectionType": "ALL"}}
    folder = {"AttributeName": "folder", "KeyType": "HASH"}
    boto3.client("dynamodb").create_table(
        TableName=BASE,
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
    import kydb

    if STORE == "dynamodb":
        table()
    database = kydb.connect(url(os.environ["DIRECT_PLACE"]))
    for path in PATHS:
        database[f"/{path}"] = (Path(TREE) / path).read_text()


def read():
    import kydb

    database = kydb.connect(url(PLACE))
    start = time.perf_counter()
    assert all(database[f"/{path}"] is not None for path in PATHS)
    print(time.perf_counter() - start)


if child := os.fork():
    if os.waitpid(child, 0)[1]:
        sys.exit("writing failed")
    read()
else:
    os.environ["AWS_ENDPOINT_URL"] = os.environ["DIRECT_ENDPOINT_URL"]
    write()
