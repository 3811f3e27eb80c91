"""Reads every file by itself, as the article's import hook does: load_each.py STORE PLACE AREA FILE

FILE lists the paths. Reads a line for each run from stdin and answers it with the seconds that the run took: from clients that
are made and not connected to the last byte. The article reads a file to see whether it is there and again for its content;
here each is read once.
"""

import sys
import time
from pathlib import Path

import boto3
import redis
import s3fs

store, place, area, listed = sys.argv[1:]
keys = [f"{area}/{path}" for path in Path(listed).read_text().splitlines()]


def reader():
    if store == "s3":
        options = {"client_kwargs": {}, "config_kwargs": {"s3": {"addressing_style": "path"}}}
        files = s3fs.S3FileSystem(**options, skip_instance_cache=True)
        return lambda key: files.open(f"{place}/{key}").read()
    if store == "dynamodb":
        table = boto3.Session().resource("dynamodb").Table(place)
        return lambda key: table.get_item(Key={"path": key})["Item"]["code"]
    return redis.from_url(place).get


for _ in sys.stdin:
    read = reader()
    start = time.perf_counter()
    assert all(read(key) is not None for key in keys)
    print(time.perf_counter() - start, flush=True)
