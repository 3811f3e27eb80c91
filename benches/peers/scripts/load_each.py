"""Reads every file by itself, as the article's import hook does: load_each.py STORE PLACE AREA PATH...

Prints the seconds from clients that are made and not connected to the last byte. The article reads a file to see whether it
is there and again for its content; here each is read once.
"""

import sys
import time

import boto3
import redis
import s3fs

store, place, area, *paths = sys.argv[1:]
keys = [f"{area}/{path}" for path in paths]
if store == "s3":
    files = s3fs.S3FileSystem(client_kwargs={}, config_kwargs={"s3": {"addressing_style": "path"}})

    def read(key):
        with files.open(f"{place}/{key}") as file:
            return file.read()
elif store == "dynamodb":
    table = boto3.resource("dynamodb").Table(place)

    def read(key):
        return table.get_item(Key={"path": key})["Item"]["code"]
else:
    client = redis.from_url(place)
    read = client.get
start = time.perf_counter()
assert all(read(key) is not None for key in keys)
print(time.perf_counter() - start)
