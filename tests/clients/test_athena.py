"""Athena by boto3 and PyAthena: executions, results, refusals, a killed worker, and how fresh rows are."""
import json
import os
import signal
import subprocess
import threading
import time
import uuid

import botocore.exceptions
import pytest


def finish(athena, execution, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.005)


def run(athena, sql, database="default", **more):
    execution = athena.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": database}, **more)["QueryExecutionId"]
    return finish(athena, execution)


def rows(athena, sql, database="default", **more):
    done = run(athena, sql, database, **more)
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=done["QueryExecutionId"])
    found = [[value.get("VarCharValue") for value in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
    return found[1:]


def make_table(laketap, bucket, database, columns, location="d/", name="t", parameters=None):
    laketap.client("glue").create_table(
        DatabaseName=database,
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": key, "Type": value} for key, value in columns.items()],
                "Location": f"s3://{bucket}/{location}",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": parameters or {}},
            },
        },
    )


@pytest.fixture(scope="module")
def lake(laketap):
    """A bucket and a database of a name of its own."""
    name = "athena-" + uuid.uuid4().hex[:8]
    laketap.client("s3").create_bucket(Bucket=name)
    database = name.replace("-", "_")
    laketap.client("glue").create_database(DatabaseInput={"Name": database})
    return name, database


def test_select_with_its_result_files(laketap):
    athena, s3 = laketap.client("athena"), laketap.client("s3")
    done = run(athena, "SELECT 1 AS n, 'x' AS S, CAST(NULL AS varchar) AS empty, DECIMAL '1.10' AS d;")
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    assert done["StatementType"] == "DML" and done["SubstatementType"] == "SELECT"
    assert done["Query"].endswith("AS d")
    location = done["ResultConfiguration"]["OutputLocation"]
    assert location.startswith("s3://aws-athena-query-results-000000000000-us-east-1/") and location.endswith(done["QueryExecutionId"] + ".csv")
    bucket, key = location.removeprefix("s3://").split("/", 1)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b'"n","S","empty","d"\n"1","x",,"1.10"\n'
    assert s3.get_object(Bucket=bucket, Key=key + ".metadata")["Body"].read().startswith(b"\x0a$")
    page = athena.get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert page["UpdateCount"] == 0 and "NextToken" not in page
    assert [(c["Name"], c["Type"]) for c in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == [("n", "integer"), ("S", "varchar"), ("empty", "varchar"), ("d", "decimal")]
    assert page["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "1"}, {"VarCharValue": "x"}, {}, {"VarCharValue": "1.10"}]


def test_many_rows_come_in_pages(laketap):
    found = rows(laketap.client("athena"), "SELECT x FROM UNNEST(sequence(1, 2500)) AS u(x) ORDER BY x")
    assert [int(row[0]) for row in found] == list(range(1, 2501))


def test_table_of_objects(laketap, lake):
    bucket, database = lake
    s3, athena = laketap.client("s3"), laketap.client("athena")
    s3.put_object(Bucket=bucket, Key="d/a.json", Body=b'{"id":1,"Name":"x","e":{"k":[1,2]}}{"id":2,"name":"y"}')
    s3.put_object(Bucket=bucket, Key="d/_ignored.json", Body=b"garbage")
    make_table(laketap, bucket, database, {"id": "int", "name": "string", "e": "struct<k:array<int>>"})
    assert rows(athena, "SELECT id, name, e FROM t ORDER BY id", database) == [["1", "x", "{k=[1, 2]}"], ["2", "y", None]]
    done = run(athena, f'SELECT count(*) FROM "{database}"."t"')
    assert done["Statistics"]["DataScannedInBytes"] > 0
    s3.put_object(Bucket=bucket, Key="d/b.json", Body=b"not json\n")
    failed = run(athena, "SELECT sum(id) FROM t", database)
    assert failed["Status"]["State"] == "FAILED"
    assert "HIVE_CURSOR_ERROR" in failed["Status"]["StateChangeReason"] and f"s3://{bucket}/d/b.json" in failed["Status"]["StateChangeReason"]
    assert failed["Status"]["AthenaError"]["ErrorCategory"] == 2
    s3.delete_object(Bucket=bucket, Key="d/b.json")


def test_refusals(laketap):
    athena = laketap.client("athena")

    def refused(call, **arguments):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        return caught.value.response

    answer = refused(athena.start_query_execution, QueryString="SELEC 1")
    assert answer["Error"]["Code"] == "InvalidRequestException" and answer["AthenaErrorCode"] == "MALFORMED_QUERY"
    assert answer["Error"]["Message"].startswith("line 1:1: mismatched input 'SELEC'")
    assert refused(athena.start_query_execution, QueryString="SELECT 1", WorkGroup="nobody")["Error"]["Message"] == "WorkGroup is not found."
    assert refused(athena.get_query_execution, QueryExecutionId="unknown")["AthenaErrorCode"] == "QUERY_EXECUTION_NOT_FOUND"
    location = {"OutputLocation": "s3://no-such-bucket-anywhere/x/"}
    assert "no-such-bucket-anywhere" in refused(athena.start_query_execution, QueryString="SELECT 1", ResultConfiguration=location)["Error"]["Message"]
    token = uuid.uuid4().hex
    first = athena.start_query_execution(QueryString="SELECT 1", ClientRequestToken=token)
    assert athena.start_query_execution(QueryString="SELECT 1", ClientRequestToken=token)["QueryExecutionId"] == first["QueryExecutionId"]
    assert refused(athena.start_query_execution, QueryString="SELECT 2", ClientRequestToken=token)["AthenaErrorCode"] == "IDEMPOTENT_PARAMETER_MISMATCH"
    assert rows(athena, "SELECT 1") == [["1"]]


@pytest.mark.parametrize(
    "sql, reason",
    [
        ("SELECT '1' = 1", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) = integer"),
        ("SELECT 1 / (x - 1) FROM (VALUES 1) AS u(x)", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT CAST('abc' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to INT"),
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nowhere' does not exist"),
        ("SELECT read_text('/etc/passwd')", "FUNCTION_NOT_FOUND: line 1:8: Function 'read_text' not registered"),
    ],
)
def test_failures_have_trinos_words(laketap, sql, reason):
    status = run(laketap.client("athena"), sql)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", reason)
    assert status["AthenaError"]["ErrorMessage"] == reason


def workers(laketap):
    """Process ids of the server's children."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(laketap.process.pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


ENDLESS = "SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y), UNNEST(sequence(1, 9999)) c(z) WHERE (x * y + z) % 7 = 3"


def test_stop_within_a_second(laketap):
    athena = laketap.client("athena")
    execution = athena.start_query_execution(QueryString=ENDLESS)["QueryExecutionId"]
    time.sleep(0.5)
    begin = time.monotonic()
    athena.stop_query_execution(QueryExecutionId=execution)
    done = finish(athena, execution)
    assert done["Status"]["State"] == "CANCELLED" and done["Status"]["StateChangeReason"] == "Query cancelled by user"
    assert time.monotonic() - begin < 1.5
    athena.stop_query_execution(QueryExecutionId=execution)


def test_killed_worker_fails_its_query_only(laketap):
    athena = laketap.client("athena")
    assert rows(athena, "SELECT 1") == [["1"]]
    execution = athena.start_query_execution(QueryString=ENDLESS)["QueryExecutionId"]
    time.sleep(0.5)
    for worker in workers(laketap):
        os.kill(worker, signal.SIGKILL)
    failed = finish(athena, execution, 5)
    assert failed["Status"]["State"] == "FAILED"
    assert failed["Status"]["StateChangeReason"] == "GENERIC_INTERNAL_ERROR: The worker process that ran the query was ended by signal 9"
    assert rows(athena, "SELECT 2") == [["2"]]


def test_workgroup_and_catalog(laketap, lake):
    _, database = lake
    athena = laketap.client("athena")
    group = athena.get_work_group(WorkGroup="primary")["WorkGroup"]
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert group["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert [g["Name"] for g in athena.list_work_groups()["WorkGroups"]] == ["primary"]
    assert athena.list_data_catalogs()["DataCatalogsSummary"][0]["CatalogName"] == "AwsDataCatalog"
    names = [d["Name"] for page in athena.get_paginator("list_databases").paginate(CatalogName="AwsDataCatalog") for d in page["DatabaseList"]]
    assert {"default", database} <= set(names)
    table = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=database, TableName="t")["TableMetadata"]
    assert [c["Type"] for c in table["Columns"]] == ["int", "string", "struct<k:array<int>>"]
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=database, TableName="absent")
    assert caught.value.response["Error"]["Code"] == "MetadataException"
    recent = athena.list_query_executions(MaxResults=5)["QueryExecutionIds"]
    assert len(athena.batch_get_query_execution(QueryExecutionIds=recent)["QueryExecutions"]) == len(recent)


def test_pyathena_reads_types(laketap, lake):
    from pyathena import connect

    e = laketap.exports()
    cursor = connect(s3_staging_dir=f"s3://{lake[0]}/results/", region_name="us-east-1", endpoint_url=laketap.url, aws_access_key_id=e["AWS_ACCESS_KEY_ID"],
                     aws_secret_access_key=e["AWS_SECRET_ACCESS_KEY"], poll_interval=0.02).cursor()
    cursor.execute("SELECT 1 a, 1.5e0 b, 'x' c, true d, DATE '2024-01-31' e, TIMESTAMP '2024-01-31 12:00:00.123' f, DECIMAL '1.10' g, ARRAY[1, 2] h, CAST(NULL AS bigint) i")
    row = cursor.fetchone()
    assert [str(value) for value in row] == ["1", "1.5", "x", "True", "2024-01-31", "2024-01-31 12:00:00.123000", "1.10", "[1, 2]", "None"]
    cursor.execute("SHOW TABLES IN " + lake[1])
    assert cursor.fetchall() == [("t",)]


# Goal: a record is in count(*) within 1 s (p99) of its acknowledgement, while objects are delivered; none twice, none missing.
# Method: one record a round, then count(*) until it shows it; more or fewer than were acknowledged is wrong at any time.
def test_rows_are_fresh_at_every_hand_over(laketap, lake):
    bucket, database = lake
    firehose, athena = laketap.client("firehose"), laketap.client("athena")
    firehose.create_delivery_stream(
        DeliveryStreamName="fresh",
        ExtendedS3DestinationConfiguration={"BucketARN": f"arn:aws:s3:::{bucket}", "RoleARN": "arn:aws:iam::000000000000:role/x", "Prefix": "fresh/",
                                            "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}},
    )
    make_table(laketap, bucket, database, {"n": "int"}, "fresh/", "fresh")
    stopping = threading.Event()

    def load():  # Keeps delivery at work: objects of noise, of another number.
        client = laketap.client("firehose")
        while not stopping.is_set():
            client.put_record_batch(DeliveryStreamName="fresh", Records=[{"Data": b'{"n":-1}\n'}] * 20)
            time.sleep(0.05)

    thread = threading.Thread(target=load)
    thread.start()
    waits = []
    try:
        for round_ in range(1, 201):
            firehose.put_record(DeliveryStreamName="fresh", Record={"Data": json.dumps({"n": round_})})
            acknowledged = time.monotonic()
            while True:
                found = rows(athena, "SELECT count(*), count(DISTINCT n) FROM fresh WHERE n > 0", database)
                assert int(found[0][0]) <= round_ and found[0][0] == found[0][1], f"twice: {found} in round {round_}"
                if int(found[0][0]) == round_:
                    break
                assert int(found[0][0]) >= round_ - 1, f"missing: {found} in round {round_}"
            waits.append(time.monotonic() - acknowledged)
    finally:
        stopping.set()
        thread.join()
    objects = laketap.client("s3").list_objects_v2(Bucket=bucket, Prefix="fresh/")["KeyCount"]
    waits.sort()
    print(f"freshness over 200 rounds: p50 {waits[100] * 1000:.0f} ms, p99 {waits[197] * 1000:.0f} ms; {objects} objects meanwhile")
    assert objects >= 3, "delivery ran meanwhile"
    assert waits[197] < 1.0
