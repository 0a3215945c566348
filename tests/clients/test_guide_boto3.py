"""The guide's steps 1 to 21 with boto3: waiters and paginators as programs use them."""
import collections
import json
import random

from conftest import ROOT, eventually
from test_guide_cli import QUERIES

DATABASE = "serverless-app-analytics-db"
BUCKET = "guide-boto3"


def make_event(draw):
    return {"customerId": str(draw.randrange(500)), "ipAddress": "10.0.0.1", "countryCode": draw.choice(["US", "SG", "IN"]), "gender": draw.choice("MF"),
            "trafficOrigin": draw.choice(["search", "email"]),
            "event": {"type": draw.choice(["checkout", "search"]), "product": draw.choice(["", "shoes", "bags"]), "amount": draw.randrange(50, 300)}}


def ask(athena, sql):
    execution = athena.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": DATABASE})["QueryExecutionId"]

    def ended():
        got = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        return got if got["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

    assert eventually(ended)["Status"]["State"] == "SUCCEEDED"
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution, PaginationConfig={"PageSize": 2})
    return [[datum.get("VarCharValue") for datum in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


def test_guide(laketap):
    cloudformation, firehose, s3 = laketap.client("cloudformation"), laketap.client("firehose"), laketap.client("s3")
    glue, athena = laketap.client("glue"), laketap.client("athena")
    body = (ROOT / "tests/data/guide.yaml").read_text()
    cloudformation.create_stack(StackName="guide", TemplateBody=body, Capabilities=["CAPABILITY_IAM"],
                                Parameters=[{"ParameterKey": "s3BucketName", "ParameterValue": BUCKET}, {"ParameterKey": "databaseName", "ParameterValue": DATABASE}])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="guide", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    resources = {r["LogicalResourceId"]: r["PhysicalResourceId"]
                 for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName="guide") for r in page["StackResourceSummaries"]}
    events = [e for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName="guide") for e in page["StackEvents"]]
    assert events[-1]["ResourceStatusReason"] == "User Initiated"
    stream = resources["deliveryStream"]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"

    draw = random.Random(5)
    sent = [make_event(draw) for _ in range(1500)]
    for first in range(0, len(sent), 500):
        records = [{"Data": json.dumps(event) + "\n"} for event in sent[first : first + 500]]
        answer = firehose.put_record_batch(DeliveryStreamName=stream, Records=records)
        assert answer["FailedPutCount"] == 0 and len({entry["RecordId"] for entry in answer["RequestResponses"]}) == 500
    # A shorter buffer, so that this test need not wait for the template's minute.
    described = firehose.describe_delivery_stream(DeliveryStreamName=stream)["DeliveryStreamDescription"]
    assert described["VersionId"] == "1"
    firehose.update_destination(DeliveryStreamName=stream, CurrentDeliveryStreamVersionId="1", DestinationId=described["Destinations"][0]["DestinationId"],
                                ExtendedS3DestinationUpdate={"BufferingHints": {"IntervalInSeconds": 1, "SizeInMBs": 1}})
    extra = make_event(draw)
    sent.append(extra)
    firehose.put_record(DeliveryStreamName=stream, Record={"Data": json.dumps(extra) + "\n"})

    eventually(lambda: any(t["Name"] == "firehose" for page in glue.get_paginator("get_tables").paginate(DatabaseName=DATABASE) for t in page["TableList"]), 5)

    def delivered():
        keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="raw/firehose/") for o in page.get("Contents", [])]
        lines = [line for key in keys for line in s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()]
        return lines if len(lines) >= len(sent) else None

    lines = eventually(delivered, 90, 0.5)
    assert collections.Counter(lines) == collections.Counter(json.dumps(event) for event in sent)
    assert {v["IsLatest"] for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET) for v in page["Versions"]} == {True}

    glue.start_crawler(Name="app-analytics-crawler")
    eventually(lambda: glue.get_crawler(Name="app-analytics-crawler")["Crawler"]["State"] == "READY")
    assert [p["Values"] for page in glue.get_paginator("get_partitions").paginate(DatabaseName=DATABASE, TableName="firehose") for p in page["Partitions"]]

    assert ask(athena, QUERIES[0]) == [["total"], [str(len(sent))]]
    got = ask(athena, QUERIES[1])
    assert {gender: int(number) for number, gender in got[1:]} == collections.Counter(e["gender"] for e in sent if e["countryCode"] == "US")
    got = ask(athena, QUERIES[2])
    assert {product: int(number) for number, product in got[1:]} == collections.Counter(e["event"]["product"] for e in sent if e["event"]["type"] == "checkout")
    assert got[0] == ["purchases", "product"] and len(got) == 4, "three pages of two rows"
