"""The guide's steps 1 to 21, typed as a user types them: the unmodified AWS CLI."""
import collections
import json
import time

from conftest import ROOT, eventually

TEMPLATE = "file://" + str(ROOT / "tests/data/guide.yaml")
STACK = "serverless-app-analytics"
BUCKET = "guide-events"
DATABASE = "serverless-app-analytics-database"
RECORDS = 1200

QUERIES = [
    "select count(*) as total from firehose;",
    "SELECT count(customerid) as Customers,\n         gender as Gender\n\tFROM firehose\n\tWHERE countrycode = 'US'\n\tGROUP BY  Gender",
    "select count(customerid) as purchases, event.product as product from firehose where event.type = 'checkout' group by event.product",
]


def ask(laketap, sql, database, output=None):
    arguments = ["athena", "start-query-execution", "--query-string", sql, "--query-execution-context", f"Database={database}"]
    if output:
        arguments += ["--result-configuration", f"OutputLocation={output}"]
    execution = json.loads(laketap.aws(*arguments).stdout)["QueryExecutionId"]

    def ended():
        got = json.loads(laketap.aws("athena", "get-query-execution", "--query-execution-id", execution).stdout)["QueryExecution"]
        return got if got["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

    execution = eventually(ended)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return execution, json.loads(laketap.aws("athena", "get-query-results", "--query-execution-id", execution["QueryExecutionId"]).stdout)


def rows(results):
    return [[datum.get("VarCharValue") for datum in row["Data"]] for row in results["ResultSet"]["Rows"]]


def test_guide(laketap):
    aws = laketap.aws
    # 1, 2: deploy.
    refused = aws("cloudformation", "create-stack", "--stack-name", STACK, "--template-body", TEMPLATE, "--parameters",
                  f"ParameterKey=s3BucketName,ParameterValue={BUCKET}", f"ParameterKey=databaseName,ParameterValue={DATABASE}", check=False)
    assert "InsufficientCapabilities" in refused.stderr and "Requires capabilities : [CAPABILITY_IAM]" in refused.stderr
    aws("cloudformation", "create-stack", "--stack-name", STACK, "--capabilities", "CAPABILITY_IAM", "--template-body", TEMPLATE,
        "--parameters", f"ParameterKey=s3BucketName,ParameterValue={BUCKET}", f"ParameterKey=databaseName,ParameterValue={DATABASE}")
    aws("cloudformation", "wait", "stack-create-complete", "--stack-name", STACK)
    stack = json.loads(aws("cloudformation", "describe-stacks", "--stack-name", STACK).stdout)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["s3Arn"] == f"arn:aws:s3:::{BUCKET}"
    stream = outputs["firehoseArn"].rsplit("/", 1)[1]
    assert stream.startswith("serverless-app-analytics-deliveryStream-")
    events = json.loads(aws("cloudformation", "describe-stack-events", "--stack-name", STACK).stdout)["StackEvents"]
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE" and events[0]["LogicalResourceId"] == STACK
    resources = json.loads(aws("cloudformation", "list-stack-resources", "--stack-name", STACK).stdout)["StackResourceSummaries"]
    assert {r["LogicalResourceId"] for r in resources} == {"deliveryStream", "s3bucket", "deliveryRole", "deliveryPolicy", "glueRole", "glueDatabase", "MyCrawler"}
    assert "MyCrawler" in json.loads(aws("cloudformation", "get-template", "--stack-name", STACK).stdout)["TemplateBody"]
    assert json.loads(aws("cloudformation", "validate-template", "--template-body", TEMPLATE).stdout)["Capabilities"] == ["CAPABILITY_IAM"]

    # 3 to 7: choose the stream, generate.
    assert stream in json.loads(aws("firehose", "list-delivery-streams", "--limit", "100").stdout)["DeliveryStreamNames"]
    described = json.loads(aws("firehose", "describe-delivery-stream", "--delivery-stream-name", stream).stdout)["DeliveryStreamDescription"]
    hints = described["Destinations"][0]["ExtendedS3DestinationDescription"]["BufferingHints"]
    assert hints == {"SizeInMBs": 1, "IntervalInSeconds": 60}
    report = json.loads(laketap.run("generate", "--stream", stream, "--template", "builtin:clickstream", "--rate", "0", "--count", str(RECORDS),
                                    "--seed", "7", "--report", "json").stdout)
    assert report["records"] == RECORDS and report["failed"] == 0
    # The CLI's own put-record: v1 encodes the text itself.
    one = '{"customerId": "1", "ipAddress": "1.2.3.4", "countryCode": "US", "gender": "F", "trafficOrigin": "search", "event": {"type": "checkout", "product": "shoes", "amount": 99}}\n'
    assert json.loads(aws("firehose", "put-record", "--delivery-stream-name", stream, "--record", json.dumps({"Data": one})).stdout)["RecordId"]
    batch = json.loads(aws("firehose", "put-record-batch", "--delivery-stream-name", stream, "--records", json.dumps([{"Data": one}] * 3)).stdout)
    assert batch["FailedPutCount"] == 0 and len(batch["RequestResponses"]) == 3
    sent = RECORDS + 4

    # Before any crawl and any delivery, the table is there and counts all.
    eventually(lambda: "firehose" in aws("glue", "get-tables", "--database-name", DATABASE).stdout, 5)
    _, results = ask(laketap, QUERIES[0], DATABASE)
    assert rows(results) == [["total"], [str(sent)]]

    # 8: the bucket, once the buffer's minute is over.
    def delivered():
        listing = aws("s3", "ls", "--recursive", f"s3://{BUCKET}/raw/firehose/", check=False).stdout.split("\n")
        return [line.split()[3] for line in listing if line] or None

    keys = eventually(delivered, 90, 1)
    # Step by step as the console shows it: year/month/day/hour, UTC.
    import re

    pattern = rf"raw/firehose/\d{{4}}/\d\d/\d\d/\d\d/{re.escape(stream)}-1-\d{{4}}(-\d\d){{5}}-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$"
    assert all(re.match(pattern, key) for key in keys), keys
    lines = []
    for key in keys:
        target = laketap.data.parent / "downloaded"
        aws("s3", "cp", f"s3://{BUCKET}/{key}", str(target))
        lines += target.read_text().splitlines()
    assert len(lines) == sent
    events = [json.loads(line) for line in lines]
    assert lines.count(one.rstrip("\n")) == 4, "its bytes are exactly the record's bytes"
    assert "Contents" in json.loads(aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "raw/").stdout)

    # 9 to 12: crawl, see table and schema.
    crawler = "app-analytics-crawler"
    aws("glue", "start-crawler", "--name", crawler)

    def idle():
        got = json.loads(aws("glue", "get-crawler", "--name", crawler).stdout)["Crawler"]
        return got if got["State"] == "READY" and "LastCrawl" in got else None

    crawled = eventually(idle)
    assert crawled["LastCrawl"]["Status"] == "SUCCEEDED"
    assert crawled["Schedule"]["ScheduleExpression"] == "cron(0/10 * ? * MON-FRI *)"
    assert DATABASE in [d["Name"] for d in json.loads(aws("glue", "get-databases").stdout)["DatabaseList"]]
    table = json.loads(aws("glue", "get-table", "--database-name", DATABASE, "--name", "firehose").stdout)["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("customerid", "string"), ("ipaddress", "string"), ("countrycode", "string"), ("gender", "string"), ("trafficorigin", "string"),
        ("event", "struct<type:string,product:string,amount:int>")]
    assert [(k["Name"], k["Type"]) for k in table["PartitionKeys"]] == [(f"partition_{i}", "string") for i in range(4)]
    partitions = json.loads(aws("glue", "get-partitions", "--database-name", DATABASE, "--table-name", "firehose").stdout)["Partitions"]
    assert partitions and partitions[0]["Values"] == keys[0].split("/")[2:6]

    # 13 to 21: the three questions, counted a second time over what was sent.
    execution, results = ask(laketap, QUERIES[0], DATABASE)
    assert rows(results) == [["total"], [str(sent)]]
    assert results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Type"] == "bigint"
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://aws-athena-query-results-000000000000-us-east-1/{execution['QueryExecutionId']}.csv"
    aws("s3", "cp", location, str(laketap.data.parent / "result.csv"))
    assert (laketap.data.parent / "result.csv").read_text() == f'"total"\n"{sent}"\n'
    aws("s3", "cp", location + ".metadata", str(laketap.data.parent / "result.metadata"))

    _, results = ask(laketap, QUERIES[1], DATABASE, f"s3://{BUCKET}/results/")
    got = rows(results)
    assert got[0] == ["Customers", "Gender"]
    expected = collections.Counter(e["gender"] for e in events if e["countryCode"] == "US")
    assert {gender: int(number) for number, gender in got[1:]} == expected

    _, results = ask(laketap, QUERIES[2], DATABASE)
    got = rows(results)
    assert got[0] == ["purchases", "product"]
    expected = collections.Counter(e["event"]["product"] for e in events if e["event"]["type"] == "checkout")
    assert {product: int(number) for number, product in got[1:]} == expected
    assert json.loads(aws("athena", "list-query-executions").stdout)["QueryExecutionIds"]

    # The end: a bucket with data is kept.
    aws("cloudformation", "delete-stack", "--stack-name", STACK)
    failed = eventually(lambda: json.loads(aws("cloudformation", "describe-stacks", "--stack-name", STACK).stdout)["Stacks"][0]["StackStatus"] == "DELETE_FAILED", 60)
    assert failed
    reasons = [e.get("ResourceStatusReason", "") for e in json.loads(aws("cloudformation", "describe-stack-events", "--stack-name", STACK).stdout)["StackEvents"]]
    assert any("not empty" in reason for reason in reasons), reasons
    time.sleep(0)
