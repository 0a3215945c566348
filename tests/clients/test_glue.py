"""Glue with boto3 and the AWS CLI: the catalog, partitions, crawlers, and tables that make themselves."""
import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError
from conftest import eventually

OPENX = "org.openx.data.jsonserde.JsonSerDe"


@pytest.fixture(scope="module")
def glue(laketap):
    return laketap.client("glue")


@pytest.fixture(scope="module")
def s3(laketap):
    client = laketap.client("s3")
    client.create_bucket(Bucket="glue-lake")
    return client


def crawl(glue, name):
    glue.start_crawler(Name=name)

    def ready():
        crawler = glue.get_crawler(Name=name)["Crawler"]
        return crawler if crawler["State"] == "READY" else None

    last = eventually(ready)["LastCrawl"]
    assert last["Status"] == "SUCCEEDED", last
    return last


def columns(glue, database, name):
    table = glue.get_table(DatabaseName=database, Name=name)["Table"]
    return {c["Name"]: c["Type"] for c in table["StorageDescriptor"]["Columns"]}


def all_partitions(glue, **arguments):
    pages = glue.get_paginator("get_partitions").paginate(PaginationConfig={"PageSize": 7}, **arguments)
    return [p["Values"] for page in pages for p in page["Partitions"]]


def test_catalog_round_trip(glue):
    glue.create_database(DatabaseInput={"Name": "Round-Trip", "Description": "d", "Parameters": {"k": "v"}})
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": "round-trip"})
    database = glue.get_database(Name="ROUND-TRIP")["Database"]
    assert database["Name"] == "round-trip" and database["CreateTableDefaultPermissions"][0]["Permissions"] == ["ALL"]
    wanted = {"Name": "T", "Owner": "me", "Retention": 0, "TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "json", "mine": "x"},
              "PartitionKeys": [{"Name": "dt", "Type": "string"}],
              "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int", "Comment": "c", "Parameters": {"iceberg.field.id": "1"}}], "Location": "s3://x/y/",
                                    "SerdeInfo": {"SerializationLibrary": OPENX, "Parameters": {"paths": "id"}}, "NumberOfBuckets": -1,
                                    "SkewedInfo": {"SkewedColumnNames": ["id"], "SkewedColumnValues": ["1"]}}}
    glue.create_table(DatabaseName="round-trip", TableInput=wanted)
    got = glue.get_table(DatabaseName="round-trip", Name="t")["Table"]
    assert got["VersionId"] == "0" and got["CreatedBy"].startswith("arn:aws:iam::")
    # As programs do it: strip what is no input, write it back, nothing is lost.
    stripped = {k: got[k] for k in ("Name", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")}
    glue.update_table(DatabaseName="round-trip", TableInput=stripped, VersionId="0")
    again = glue.get_table(DatabaseName="round-trip", Name="t")["Table"]
    assert again["VersionId"] == "1"
    assert {k: again[k] for k in stripped} == stripped
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(DatabaseName="round-trip", TableInput=stripped, VersionId="0")
    versions = [v["VersionId"] for page in glue.get_paginator("get_table_versions").paginate(DatabaseName="round-trip", TableName="t") for v in page["TableVersions"]]
    assert versions == ["1", "0"]
    glue.delete_database(Name="round-trip")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table(DatabaseName="round-trip", Name="t")


def test_partitions(glue):
    glue.create_database(DatabaseInput={"Name": "parts"})
    glue.create_table(DatabaseName="parts", TableInput={"Name": "t", "PartitionKeys": [{"Name": "n", "Type": "int"}]})
    for first in (0, 50):
        answer = glue.batch_create_partition(DatabaseName="parts", TableName="t", PartitionInputList=[{"Values": [str(n)]} for n in range(first, first + 50)])
        assert answer.get("Errors", []) == []
    assert sorted(int(v[0]) for v in all_partitions(glue, DatabaseName="parts", TableName="t")) == list(range(100))
    assert all_partitions(glue, DatabaseName="parts", TableName="t", Expression="n > 9 AND n in (8, 10, '11')") == [["10"], ["11"]]
    segments = [all_partitions(glue, DatabaseName="parts", TableName="t", Segment={"SegmentNumber": i, "TotalSegments": 5}) for i in range(5)]
    assert sorted(int(v[0]) for segment in segments for v in segment) == list(range(100))
    answer = glue.batch_create_partition(DatabaseName="parts", TableName="t", PartitionInputList=[{"Values": ["5"]}, {"Values": ["500"]}])
    assert [e["ErrorDetail"]["ErrorCode"] for e in answer["Errors"]] == ["AlreadyExistsException"]
    with pytest.raises(glue.exceptions.InvalidInputException, match="Invalid partition expression!"):
        glue.get_partitions(DatabaseName="parts", TableName="t", Expression="nosuch = 1")
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.create_partition(DatabaseName="parts", TableName="t", PartitionInput={"Values": ["1", "2"]})
    glue.batch_delete_partition(DatabaseName="parts", TableName="t", PartitionsToDelete=[{"Values": [str(n)]} for n in range(25)])
    assert len(all_partitions(glue, DatabaseName="parts", TableName="t")) == 76


def test_crawl_and_crawl_again(laketap, glue, s3):
    s3.put_object(Bucket="glue-lake", Key="raw/Year=2026/a.json.gz", Body=gzip.compress(b'{"userId":"a","v":1}\n{"v":2,"e":{"innerKey":1}}\n'))
    glue.create_crawler(Name="twice", Role="arn:aws:iam::000000000000:role/r", DatabaseName="crawled", Targets={"S3Targets": [{"Path": "glue-lake/raw"}]},
                        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"})
    crawl(glue, "twice")
    table = glue.get_table(DatabaseName="crawled", Name="raw")["Table"]
    assert columns(glue, "crawled", "raw") == {"userid": "string", "v": "int", "e": "struct<innerKey:int>"}
    assert table["StorageDescriptor"]["Location"] == "s3://glue-lake/raw/" and table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == OPENX
    assert table["Parameters"]["compressionType"] == "gzip" and table["Parameters"]["UPDATED_BY_CRAWLER"] == "twice"
    assert [k["Name"] for k in table["PartitionKeys"]] == ["year"]
    s3.put_object(Bucket="glue-lake", Key="raw/Year=2027/b.json.gz", Body=gzip.compress(b'{"userId":"b","v":2.5,"e":{"innerKey":2},"fresh":true}\n'))
    crawl(glue, "twice")
    assert columns(glue, "crawled", "raw") == {"userid": "string", "v": "double", "e": "struct<innerKey:int>", "fresh": "boolean"}
    assert all_partitions(glue, DatabaseName="crawled", TableName="raw") == [["2026"], ["2027"]]
    crawls = glue.list_crawls(CrawlerName="twice")["Crawls"]
    assert [c["State"] for c in crawls] == ["COMPLETED", "COMPLETED"]
    assert json.loads(json.loads(crawls[1]["Summary"])["TABLE"]["ADD"])["Details"]["names"] == ["raw"]
    with pytest.raises(glue.exceptions.CrawlerNotRunningException):
        glue.stop_crawler(Name="twice")
    listed = json.loads(laketap.aws("glue", "get-tables", "--database-name", "crawled", "--output", "json").stdout)
    assert [t["Name"] for t in listed["TableList"]] == ["raw"]


def test_an_object_makes_its_table_without_a_run(glue, s3):
    glue.create_crawler(Name="eager", Role="r", DatabaseName="eager", Targets={"S3Targets": [{"Path": "s3://glue-lake/eager/"}]})
    s3.put_object(Bucket="glue-lake", Key="eager/2026/01/a.json", Body=b'{"id":1}')

    def there():
        try:
            return all_partitions(glue, DatabaseName="eager", TableName="eager") == [["2026", "01"]]
        except glue.exceptions.EntityNotFoundException:
            return False

    eventually(there, 2)
    s3.put_object(Bucket="glue-lake", Key="eager/2026/02/b.json", Body=b'{"id":1.5,"later":"x"}')
    eventually(lambda: columns(glue, "eager", "eager") == {"id": "double", "later": "string"}, 2)


def test_the_first_record_makes_its_table_within_a_second(laketap, glue, s3):
    firehose = laketap.client("firehose")
    glue.create_crawler(Name="first", Role="r", DatabaseName="first", Targets={"S3Targets": [{"Path": "glue-lake/raw2/firehose"}]})
    firehose.create_delivery_stream(DeliveryStreamName="first", ExtendedS3DestinationConfiguration={
        "RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::glue-lake", "Prefix": "raw2/firehose/", "BufferingHints": {"IntervalInSeconds": 900, "SizeInMBs": 128}})
    firehose.put_record(DeliveryStreamName="first", Record={"Data": b'{"customerId":"1","event":{"type":"checkout","amount":5}}'})
    begin = time.monotonic()

    def there():
        try:
            return columns(glue, "first", "firehose")
        except glue.exceptions.EntityNotFoundException:
            return None

    got = eventually(there, 5, 0.01)
    assert time.monotonic() - begin < 1
    assert got == {"customerid": "string", "event": "struct<type:string,amount:int>"}
    crawl(glue, "first")
    assert there(), "a run before the first object leaves the table alone"


def test_refusals(glue):
    for configuration, text in [('{"Version":1.0,"CrawlerOutput":{"Partitions":{"UpdateBehavior":"LOG"}}}', "CrawlerOutput.Partitions contains unsupported keys: UpdateBehavior."),
                                ("nonsense", "JSON")]:
        with pytest.raises(glue.exceptions.InvalidInputException, match=text):
            glue.create_crawler(Name="bad", Role="r", Targets={"S3Targets": [{"Path": "glue-lake/x"}]}, Configuration=configuration)
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.create_crawler(Name="bad", Role="r", Targets={"S3Targets": [{"Path": "glue-lake/x"}]}, Schedule="cron(61 * * * ? *)")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_crawler(Name="nosuch")
    with pytest.raises(ClientError) as refused:
        glue.get_classifiers()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
