"""Moves what a release is made of, in the same two steps as rstack, and does nothing with it: load_bare.py STORE PLACE AREA.

The first step is the marker, the second is everything that it names, at once. Reads a line for each run from stdin and
answers it with the seconds that the run took: with clients that are made and not connected, to the last byte. STORE is s3,
dynamodb or redis, and PLACE the bucket, the table or the URL.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import redis
from botocore.config import Config

PART = 390 * 1024
LARGEST_ITEM = 400 * 1024


class S3:
    def __init__(self, bucket):
        self.bucket = bucket
        self.client = boto3.Session().client("s3", config=Config(max_pool_connections=32, s3={"addressing_style": "path"}))
        self.pool = ThreadPoolExecutor(32)

    def get(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def get_all(self, blobs):
        return list(self.pool.map(self.get, [key for key, _ in blobs]))


class DynamoDb:
    def __init__(self, table):
        self.table = table
        self.client = boto3.Session().client("dynamodb")

    def read(self, keys):
        request = {self.table: {"Keys": [{"path": {"S": key}} for key in keys], "ConsistentRead": True}}
        values = {}
        while request:
            answer = self.client.batch_get_item(RequestItems=request)
            for item in answer["Responses"][self.table]:
                values[item["path"]["S"]] = next(iter(item["code"].values()))
            request = answer["UnprocessedKeys"]
        return [values[key] for key in keys]

    def get(self, key):
        return self.read([key])[0]

    def get_all(self, blobs):
        keys = []
        for key, blob in blobs:
            whole = blob["size"] + len(key) + 8 <= LARGEST_ITEM
            keys += [key] if whole else [f"{key}/{part}" for part in range(blob["parts"])]
        return self.read(keys)


class Redis:
    def __init__(self, url):
        # Asking for the third version would be a step more.
        self.client = redis.from_url(url, protocol=2)

    def get(self, key):
        return self.client.get(key)

    def get_all(self, blobs):
        pipeline = self.client.pipeline(transaction=False)
        for key, _ in blobs:
            pipeline.get(key)
        return pipeline.execute()


def load(client, area):
    start = time.perf_counter()
    marker = json.loads(client.get(f"{area}/.rstack/marker"))
    manifest = (f"{area}/.rstack/release/{marker['release']}", marker["manifest"])
    packs = [(f"{area}/.rstack/pack/{pack['sha256']}", pack) for pack in marker["packs"]]
    found = client.get_all([manifest, *packs])
    seconds = time.perf_counter() - start
    wanted = marker["manifest"]["size"] + sum(pack["size"] for pack in marker["packs"])
    assert sum(map(len, found)) == wanted, "something is missing"
    return seconds


store, place, area = sys.argv[1:]
make = {"s3": S3, "dynamodb": DynamoDb, "redis": Redis}[store]
for _ in sys.stdin:
    print(load(make(place), area), flush=True)
