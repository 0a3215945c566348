"""The operator's contract: what `up` promises about its folder, its address, TLS and the stacks it was making."""
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from conftest import BINARY, ROOT, Laketap, eventually


def test_health_and_metrics(laketap):
    assert json.load(urllib.request.urlopen(laketap.url + "/_laketap/health"))["status"] == "serving"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(laketap.url + "/_laketap/metrics")
    assert refused.value.code == 403 and b"MissingAuthenticationToken" in refused.value.read()
    exports = laketap.exports()
    text = subprocess.run(["curl", "-s", "--aws-sigv4", "aws:amz:us-east-1:laketap", "-u",
                           exports["AWS_ACCESS_KEY_ID"] + ":" + exports["AWS_SECRET_ACCESS_KEY"], laketap.url + "/_laketap/metrics"],
                          capture_output=True, text=True, check=True).stdout
    assert "# TYPE laketap_http_requests_total counter" in text


def test_a_second_server_on_the_folder_is_refused(laketap):
    second = subprocess.run([BINARY, "up", "--data", str(laketap.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and str(laketap.process.pid) in second.stderr


def test_a_newer_folder_is_refused(tmp_path):
    (tmp_path / "format").write_text("laketap 999\n")
    done = subprocess.run([BINARY, "up", "--data", str(tmp_path), "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "newer" in done.stderr


def test_wrong_usage_is_status_2():
    assert subprocess.run([BINARY, "nonsense"], capture_output=True).returncode == 2
    assert subprocess.run([BINARY, "up", "--listen", "no-port"], capture_output=True).returncode == 1


def test_every_flag_has_a_variable(laketap):
    environment = {**os.environ, "LAKETAP_DATA": str(laketap.data), "LAKETAP_FORMAT": "csv"}
    done = subprocess.run([BINARY, "query", "select 1 as one"], capture_output=True, text=True, env=environment)
    assert done.stdout == '"one"\n"1"\n', done
    refused = subprocess.run([BINARY, "generate"], capture_output=True, text=True,
                             env={**environment, "LAKETAP_STREAM": "nobody", "LAKETAP_COUNT": "1"})
    assert "nobody" in refused.stdout + refused.stderr, refused


def test_a_query_whose_client_is_interrupted_ends(laketap):
    import signal
    import time

    slow = ("select count(*) from unnest(sequence(1, 10000)) a(x) cross join unnest(sequence(1, 10000)) b(y) "
            "cross join unnest(sequence(1, 1000)) c(z) where x * y % 7 = z % 3")
    for _ in range(2):
        client = subprocess.Popen([BINARY, "query", "--data", str(laketap.data), slow], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.5)
        client.send_signal(signal.SIGINT)
        assert client.wait(10) == 130
    done = subprocess.run([BINARY, "query", "--data", str(laketap.data), "select 1"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0


def test_a_crawler_made_after_the_records_knows_them(laketap):
    s3, firehose, glue = laketap.client("s3"), laketap.client("firehose"), laketap.client("glue")
    s3.create_bucket(Bucket="late-crawler")
    firehose.create_delivery_stream(DeliveryStreamName="late", ExtendedS3DestinationConfiguration={
        "RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::late-crawler", "Prefix": "v/",
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 900}})
    firehose.put_record(DeliveryStreamName="late", Record={"Data": b'{"x":1}\n'})
    import time

    time.sleep(2)
    glue.create_database(DatabaseInput={"Name": "late"})
    glue.create_crawler(Name="late", Role="arn:aws:iam::000000000000:role/r", DatabaseName="late", Targets={"S3Targets": [{"Path": "s3://late-crawler/v/"}]})

    def answered():
        done = subprocess.run([BINARY, "query", "--data", str(laketap.data), "--database", "late", "--format", "csv", "select x from v"],
                              capture_output=True, text=True)
        return done.stdout == '"x"\n"1"\n' or None

    assert eventually(answered, seconds=5)


def test_env_works_while_the_server_is_stopped(fresh):
    before = fresh.exports()
    assert fresh.stop() == 0
    assert fresh.exports() == before
    assert oct(os.stat(fresh.data / "credentials.json").st_mode & 0o777) == "0o600"


def test_tls_with_the_folders_own_authority(tmp_path):
    import boto3

    server = Laketap(tmp_path / "data", extra=["--tls-listen", "127.0.0.1:0"])
    try:
        port = server.tls.rsplit(":", 1)[1]
        exports = server.exports()
        s3 = boto3.client("s3", endpoint_url=f"https://127.0.0.1:{port}", verify=str(server.data / "tls/ca.pem"), region_name="us-east-1",
                          aws_access_key_id=exports["AWS_ACCESS_KEY_ID"], aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"])
        assert "Buckets" in s3.list_buckets()
    finally:
        assert server.stop() == 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("a disk to fill needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    with open(folder / "filler", "ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def test_a_full_disk_is_emptied_and_started_again(small_disk):
    """Full: puts are refused and said so, the log stays calm, a start works, removing works, and then puts work again."""
    server = Laketap(small_disk / "data", extra=["--journal-mib-max", "256"])
    try:
        s3, firehose = server.client("s3"), server.client("firehose")
        s3.create_bucket(Bucket="lake")
        for number in range(4):
            s3.put_object(Bucket="lake", Key=f"kept-{number}", Body=b"x" * (16 << 20))
        firehose.create_delivery_stream(DeliveryStreamName="s", ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::lake", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}})
        fill(small_disk)
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket="lake", Key="more", Body=b"x" * (1 << 20))
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        server.kill()
        server.start()
        fill(small_disk)
        s3 = server.client("s3")
        s3.delete_object(Bucket="lake", Key="kept-0")
        s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "kept-1"}, {"Key": "kept-2"}]})
        (small_disk / "filler").unlink()
        s3.put_object(Bucket="lake", Key="more", Body=b"x" * (1 << 20))
        assert sorted(one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]) == ["kept-3", "more"]
        assert s3.get_object(Bucket="lake", Key="kept-3")["Body"].read() == b"x" * (16 << 20)
    finally:
        server.stop()


PARAMETERS = [{"ParameterKey": "s3BucketName", "ParameterValue": "crash-events"}, {"ParameterKey": "databaseName", "ParameterValue": "crashes"}]


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_stack_is_finished_after_kill(tmp_path, after):
    """kill -9 at any moment of a create: after the restart it is complete, or rolled back with nothing left."""
    import time

    server = Laketap(tmp_path / "data")
    body = (ROOT / "tests/data/guide.yaml").read_text()
    server.client("cloudformation").create_stack(StackName="crash", TemplateBody=body, Parameters=PARAMETERS, Capabilities=["CAPABILITY_IAM"])
    time.sleep(after)
    server.kill()
    server.start()
    cloudformation = server.client("cloudformation")

    def ended():
        status = cloudformation.describe_stacks(StackName="crash")["Stacks"][0]["StackStatus"]
        return status if status in ("CREATE_COMPLETE", "ROLLBACK_COMPLETE") else None

    status = eventually(ended)
    made = {r["LogicalResourceId"]: r for r in cloudformation.list_stack_resources(StackName="crash")["StackResourceSummaries"]}
    streams = server.client("firehose").list_delivery_streams()["DeliveryStreamNames"]
    if status == "CREATE_COMPLETE":
        assert streams == [made["deliveryStream"]["PhysicalResourceId"]]
        server.client("s3").head_bucket(Bucket="crash-events")
    else:
        assert streams == [] and "crashes" not in [d["Name"] for d in server.client("glue").get_databases()["DatabaseList"]]
        with pytest.raises(ClientError):
            server.client("s3").head_bucket(Bucket="crash-events")
    assert server.stop() == 0


def test_a_failing_resource_rolls_back(laketap):
    laketap.client("s3").create_bucket(Bucket="taken-events")
    body = (ROOT / "tests/data/guide.yaml").read_text()
    cloudformation = laketap.client("cloudformation")
    parameters = [{"ParameterKey": "s3BucketName", "ParameterValue": "taken-events"}, {"ParameterKey": "databaseName", "ParameterValue": "taken"}]
    cloudformation.create_stack(StackName="taken", TemplateBody=body, Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
    stack = eventually(lambda: next((s for s in cloudformation.describe_stacks(StackName="taken")["Stacks"]
                                     if s["StackStatus"] == "ROLLBACK_COMPLETE"), None))
    assert stack
    events = cloudformation.describe_stack_events(StackName="taken")["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert any("taken-events" in event["ResourceStatusReason"] for event in failed)
    assert "taken" not in [d["Name"] for d in laketap.client("glue").get_databases()["DatabaseList"]]
    laketap.client("s3").head_bucket(Bucket="taken-events")  # Not ours to delete.
