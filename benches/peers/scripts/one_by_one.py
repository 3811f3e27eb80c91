"""Every file of a folder into S3, DynamoDB and Redis, one after the other: one_by_one.py FOLDER BUCKET TABLE PREFIX."""

import os
import sys
from pathlib import Path

import boto3
import redis
import s3fs

folder, bucket, table, prefix = sys.argv[1:]
files = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
items = boto3.resource("dynamodb").Table(table)
cache = redis.from_url(os.environ["REDIS_URL"])
for path in sorted(Path(folder).rglob("*")):
    if path.is_file():
        key, body = f"{prefix}/{path.relative_to(folder)}", path.read_bytes()
        files.pipe_file(f"{bucket}/{key}", body)
        items.put_item(Item={"path": key, "code": body})
        cache.set(key, body)
