"""What rstack up, seed, status and down do, as somebody would write it with boto3: life.py TEMPLATE NAME."""

import os
import sys
from pathlib import Path

import boto3
import redis

DEMO = Path(__file__).resolve().parents[3] / "demo"
template, name = sys.argv[1:]
cloudformation, s3, dynamodb = (boto3.client(service) for service in ("cloudformation", "s3", "dynamodb"))
once_a_second = {"Delay": 1, "MaxAttempts": 600}

cloudformation.create_stack(StackName=name, TemplateBody=Path(template).read_text())
cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=once_a_second)

resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
physical = {resource["ResourceType"]: resource["PhysicalResourceId"] for resource in resources}
bucket, table = physical["AWS::S3::Bucket"], physical["AWS::DynamoDB::Table"]
cache = redis.from_url(os.environ["REDIS_URL"])
files = {f"main/{path.relative_to(DEMO)}": path.read_bytes() for path in sorted(DEMO.rglob("*.py"))}
for key, body in files.items():
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    dynamodb.put_item(TableName=table, Item={"path": {"S": key}, "code": {"B": body}})
    cache.set(f"{name}/{key}", body)

cloudformation.describe_stacks(StackName=name)
s3.head_bucket(Bucket=bucket)
dynamodb.describe_table(TableName=table)
cache.ping()

for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": item["Key"]} for item in page["Contents"]]})
cache.delete(*(f"{name}/{key}" for key in files))
stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
cloudformation.delete_stack(StackName=name)
cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=once_a_second)
