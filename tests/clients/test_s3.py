"""S3 by boto3 and the AWS CLI: what the pipeline's users do with buckets and objects (docs/gaps.md has the rest)."""
import base64
import concurrent.futures
import datetime
import hashlib
import os
import threading
import urllib.parse
import urllib.request
import zlib

import pytest

MIB = 1024 * 1024
ODD_KEYS = ["a", "a/", "a/b", "a//b", "a+b", "a b", "a%20b", "\u00e4", "a\u0308", "%", "&<>\"'", "a+/x", "a/x", "x/../y", "./x",
            "A", ".hidden", "k" * 1024, "s" * 300 + "/t", "d/\u00fcber+1 \u2603.json", "z\U0001f30a", "back\\slash", "a=b/c:d"]


@pytest.fixture(scope="module")
def s3(laketap):
    return laketap.client("s3")


@pytest.fixture
def bucket(s3, request):
    name = "b-" + hashlib.sha1(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def code(call, *arguments, **named):
    """The error code and status that a call is refused with."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_buckets(s3):
    s3.create_bucket(Bucket="first-bucket")
    s3.create_bucket(Bucket="first-bucket")  # us-east-1 answers the owner's repeat with 200.
    s3.create_bucket(Bucket="second.bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert names == sorted(names) and {"first-bucket", "second.bucket"} <= set(names)
    assert s3.get_bucket_location(Bucket="first-bucket").get("LocationConstraint") is None
    assert s3.get_bucket_location(Bucket="second.bucket")["LocationConstraint"] == "eu-west-1"
    assert s3.head_bucket(Bucket="second.bucket")["BucketRegion"] == "eu-west-1"
    assert code(s3.head_bucket, Bucket="no-such-bucket") == ("404", 404)
    assert code(s3.create_bucket, Bucket="Bad_Name") == ("InvalidBucketName", 400)
    assert code(s3.list_objects_v2, Bucket="no-such-bucket") == ("NoSuchBucket", 404)
    s3.put_object(Bucket="first-bucket", Key="k", Body=b"x")
    assert code(s3.delete_bucket, Bucket="first-bucket") == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket="first-bucket", Key="k")
    s3.delete_bucket(Bucket="first-bucket")
    assert code(s3.delete_bucket, Bucket="first-bucket") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1])
def test_put_and_get(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ContentType="text/x-odd", Metadata={"color": "blue"})
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    assert got["ContentType"] == "text/x-odd" and got["Metadata"] == {"color": "blue"}
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert got["ResponseMetadata"]["HTTPHeaders"]["content-security-policy"] == "sandbox"
    assert got["ResponseMetadata"]["HTTPHeaders"]["x-content-type-options"] == "nosniff"
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentLength"] == size and head["ETag"] == put["ETag"]
    assert "VersionId" not in head


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    known = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=", "SHA1": "98O8HYCOBHMq1eZZczDTKeuNEE4=",
             "SHA256": "FeKw09ZzCahEkiZ1yQHzCCc4BuFiubYxKbKG88i9XiU="}
    sha256 = base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()
    known["SHA1"] = base64.b64encode(hashlib.sha1(b"123456789").digest()).decode()
    known["SHA256"] = sha256
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", **{member: known[algorithm]})
    assert put[member] == known[algorithm]
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[member] == known[algorithm]
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert listed["ChecksumAlgorithm"] == [algorithm]
    assert code(s3.put_object, Bucket=bucket, Key="bad", Body=b"another", **{member: known[algorithm]}) == ("BadDigest", 400)
    assert code(s3.head_object, Bucket=bucket, Key="bad") == ("404", 404)


def test_wrong_md5(s3, bucket):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ContentMD5=wrong) == ("BadDigest", 400)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ContentMD5="rubbish") == ("InvalidDigest", 400)
    assert code(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)


def test_ranges(s3, bucket):
    body = bytes(range(100))
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for header, first, end in [("bytes=0-", 0, 100), ("bytes=10-19", 10, 20), ("bytes=90-500", 90, 100), ("bytes=-7", 93, 100),
                               ("bytes=-700", 0, 100)]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=header)
        assert got["Body"].read() == body[first:end], header
        assert got["ContentRange"] == f"bytes {first}-{end - 1}/100"
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    for header in ["bytes=20-10", "bytes=a-b", "lines=1-2"]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=header)
        assert got["Body"].read() == body and got["ResponseMetadata"]["HTTPStatusCode"] == 200, header
    assert code(s3.get_object, Bucket=bucket, Key="k", Range="bytes=100-") == ("InvalidRange", 416)
    assert code(s3.get_object, Bucket=bucket, Key="k", Range="bytes=-0") == ("InvalidRange", 416)


def test_conditions_of_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince=past)["Body"].read() == b"x"
    assert code(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert code(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert code(s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince=past) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=past)["Body"].read() == b"x"
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=future)["Body"].read() == b"x"
    now = datetime.datetime.now(datetime.timezone.utc)
    s3.head_object(Bucket=bucket, Key="k")
    assert code(s3.head_object, Bucket=bucket, Key="k", IfModifiedSince=now)[1] in (304, 200)


def test_conditions_of_writes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=bucket, Key="absent", Body=b"2", IfMatch=etag) == ("NoSuchKey", 404)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch="*") == ("NotImplemented", 501)
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"


def test_of_many_conditional_writers_one_wins(laketap, bucket):
    barrier = threading.Barrier(20)

    def write(number):
        client = laketap.client("s3")
        barrier.wait()
        try:
            client.put_object(Bucket=bucket, Key="one", Body=str(number).encode(), IfNoneMatch="*")
            return number
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        won = [one for one in pool.map(write, range(20)) if one is not None]
    assert len(won) == 1
    assert laketap.client("s3").get_object(Bucket=bucket, Key="one")["Body"].read() == str(won[0]).encode()


def test_of_many_completers_each_is_told_the_truth(laketap, bucket):
    s3 = laketap.client("s3")
    for round_number in range(5):
        key = f"whole-{round_number}"
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x" * 200_000)["ETag"]
        barrier = threading.Barrier(8)

        def finish(number):
            client = laketap.client("s3")
            barrier.wait()
            try:
                if number == 7:
                    client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
                    return "aborted"
                return client.complete_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})["ETag"]
            except client.exceptions.ClientError as error:
                return error.response["Error"]["Code"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(finish, range(8)))
        whole = {one for one in answers if one.endswith('-1"')}
        assert answers - whole <= {"NoSuchUpload", "aborted"}, answers
        assert len(whole) == 1 or "aborted" in answers
        if whole:
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x" * 200_000


def test_odd_keys(s3, bucket):
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ODD_KEYS:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
    ordered = sorted(ODD_KEYS, key=lambda key: key.encode())
    for size in range(1, 6):
        for version in ("list_objects", "list_objects_v2"):
            pages = s3.get_paginator(version).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
            assert [one["Key"] for page in pages for one in page.get("Contents", [])] == ordered, (size, version)
        for prefix in ("", "a", "a/"):
            expected = set()
            for key in ODD_KEYS:
                if key.startswith(prefix):
                    at = key.find("/", len(prefix))
                    expected.add(key if at < 0 else key[: at + 1] + "*")
            for version in ("list_objects", "list_objects_v2"):
                pages = s3.get_paginator(version).paginate(Bucket=bucket, Prefix=prefix, Delimiter="/", PaginationConfig={"PageSize": size})
                got = []
                for page in pages:
                    got += [one["Key"] for one in page.get("Contents", [])] + [one["Prefix"] + "*" for one in page.get("CommonPrefixes", [])]
                assert sorted(got) == sorted(expected), (prefix, size, version)
    assert code(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"") == ("KeyTooLongError", 400)
    found = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ODD_KEYS]})
    assert {one["Key"] for one in found["Deleted"]} == set(ODD_KEYS)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_listing_limits(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    empty = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert empty["KeyCount"] == 0 and empty["IsTruncated"] is False
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    assert code(s3.list_objects_v2, Bucket=bucket, ContinuationToken="rubbish") == ("InvalidArgument", 400)
    assert s3.list_objects_v2(Bucket=bucket, StartAfter="k")["KeyCount"] == 0
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"]


def test_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0")
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    read = lambda **named: s3.get_object(Bucket=bucket, Key="k", **named)["Body"].read()
    assert (read(), read(VersionId=one), read(VersionId="null")) == (b"2", b"1", b"0")

    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert code(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=marker["VersionId"]) == ("MethodNotAllowed", 405)
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId="a" * 32) == ("NoSuchVersion", 404)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    for size in (1, 2, 3, 1000):
        versions, markers = [], []
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": size}):
            versions += [(v["VersionId"], v["IsLatest"]) for v in page.get("Versions", [])]
            markers += [(m["VersionId"], m["IsLatest"]) for m in page.get("DeleteMarkers", [])]
        assert versions == [(two, False), (one, False), ("null", False)], size
        assert markers == [(marker["VersionId"], True)]
    assert code(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)

    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert read() == b"2"
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": v} for v in (one, two, "null")], "Quiet": True})
    s3.delete_bucket(Bucket=bucket)


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from \u00e4+", Body=b"body", ContentType="text/a", Metadata={"a": "1"})
    copied = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from \u00e4+"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"body").hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"body", "text/a", {"a": "1"})
    itself = {"Bucket": bucket, "Key": "to", "CopySource": {"Bucket": bucket, "Key": "to"}}
    assert code(s3.copy_object, **itself) == ("InvalidRequest", 400)
    s3.copy_object(**itself, MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/b")
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"body", "text/b", {"b": "2"})
    assert code(s3.copy_object, Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "absent"}) == ("NoSuchKey", 404)


def test_uploads_in_parts(s3, bucket):
    body = os.urandom(12 * MIB)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/parts", ChecksumAlgorithm="CRC32")["UploadId"]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    last = s3.upload_part(**named, PartNumber=3, Body=body[10 * MIB:])
    first = s3.upload_part(**named, PartNumber=1, Body=b"replaced")
    assert code(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 3, "ETag": last["ETag"]}]}) == ("EntityTooSmall", 400)
    first = s3.upload_part(**named, PartNumber=1, Body=body[: 5 * MIB])
    second = s3.upload_part(**named, PartNumber=2, Body=body[5 * MIB: 10 * MIB])
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert [part["PartNumber"] for page in s3.get_paginator("list_parts").paginate(**named, PaginationConfig={"PageSize": 1})
            for part in page["Parts"]] == [1, 2, 3]
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    parts = [{"PartNumber": n, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]} for n, part in enumerate((first, second, last), 1)]
    assert code(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": parts[::-1]}) == ("InvalidPartOrder", 400)
    wrong = [{"PartNumber": 1, "ETag": second["ETag"]}]
    assert code(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    md5s = b"".join(hashlib.md5(piece).digest() for piece in (body[: 5 * MIB], body[5 * MIB: 10 * MIB], body[10 * MIB:]))
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    sums = b"".join(zlib.crc32(piece).to_bytes(4, "big") for piece in (body[: 5 * MIB], body[5 * MIB: 10 * MIB], body[10 * MIB:]))
    assert done["ChecksumCRC32"] == base64.b64encode(zlib.crc32(sums).to_bytes(4, "big")).decode() + "-3"
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body and got["ContentType"] == "text/parts"
    # The answer was lost on its way: the same again.
    assert s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})["ETag"] == done["ETag"]

    again = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=again, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=again)
    assert code(s3.list_parts, Bucket=bucket, Key="k", UploadId=again) == ("NoSuchUpload", 404)


def test_a_full_object_checksum_is_combined(s3, bucket):
    body = os.urandom(11 * MIB)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
    parts = []
    for number, piece in enumerate((body[: 5 * MIB], body[5 * MIB:]), 1):
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=piece, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    assert done["ChecksumType"] == "FULL_OBJECT"


def test_parts_are_copied(s3, bucket):
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="from", Body=body)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="to")["UploadId"]
    part = s3.upload_part_copy(Bucket=bucket, Key="to", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "from"},
                               CopySourceRange=f"bytes=1-{5 * MIB}")
    s3.complete_multipart_upload(Bucket=bucket, Key="to", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == body[1: 5 * MIB + 1]


def test_transfers_by_boto3(s3, bucket, tmp_path):
    source = tmp_path / "20-mib"
    source.write_bytes(os.urandom(20 * MIB))
    s3.upload_file(str(source), bucket, "big")
    s3.download_file(bucket, "big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-3"')


def test_presigned(s3, laketap, bucket):
    from botocore.config import Config

    signer = laketap.client("s3", config=Config(signature_version="s3v4"))
    url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(url, b"body", method="PUT", headers={"Content-Type": ""}), timeout=10)
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b", "ResponseContentType": "text/html"}, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"body" and answer.headers["Content-Type"] == "text/html"
        assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_metadata_limit_and_unbuilt_headers(s3, bucket):
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2048}) == ("MetadataTooLarge", 400)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"", ACL="public-read") == ("AccessControlListNotSupported", 400)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"", Tagging="a=b") == ("NotImplemented", 501)
    assert code(s3.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner="111111111111") == ("AccessDenied", 403)


def test_aws_cli(laketap, bucket, tmp_path):
    (tmp_path / "up/d").mkdir(parents=True)
    (tmp_path / "up/small.json").write_text('{"a":1}\n')
    (tmp_path / "up/d/\u00fc +.txt").write_text("odd")
    (tmp_path / "up/large").write_bytes(os.urandom(9 * MIB))
    laketap.aws("s3", "sync", str(tmp_path / "up"), f"s3://{bucket}/p/")
    listed = laketap.aws("s3", "ls", "--recursive", f"s3://{bucket}/").stdout
    assert [line.split(maxsplit=3)[3] for line in listed.splitlines()] == ["p/d/\u00fc +.txt", "p/large", "p/small.json"]
    assert "PRE p/" in laketap.aws("s3", "ls", f"s3://{bucket}/").stdout
    laketap.aws("s3", "cp", f"s3://{bucket}/p/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "up/large").read_bytes()
    laketap.aws("s3", "cp", f"s3://{bucket}/p/large", f"s3://{bucket}/copy")
    laketap.aws("s3", "mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    assert laketap.aws("s3", "sync", str(tmp_path / "up"), f"s3://{bucket}/p/").stdout == ""
    laketap.aws("s3", "rm", "--recursive", f"s3://{bucket}/p/")
    laketap.aws("s3", "rb", "--force", f"s3://{bucket}")


def test_a_versioned_bucket_goes_when_its_versions_went(laketap, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    laketap.aws("s3", "rm", "--recursive", f"s3://{bucket}/")
    assert "BucketNotEmpty" in laketap.aws("s3", "rb", f"s3://{bucket}", check=False).stderr
    versions = s3.list_object_versions(Bucket=bucket)
    every = versions["Versions"] + versions["DeleteMarkers"]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in every]})
    laketap.aws("s3", "rb", f"s3://{bucket}")


def test_objects_and_open_uploads_survive_kill(fresh):
    s3 = fresh.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a/b", Body=b"one")
    s3.put_object(Bucket="kept", Key="a", Body=b"two")
    upload = s3.create_multipart_upload(Bucket="kept", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="kept", Key="parts", UploadId=upload, PartNumber=1, Body=b"three")
    fresh.kill()
    fresh.start()
    s3 = fresh.client("s3")
    assert s3.get_object(Bucket="kept", Key="a/b")["Body"].read() == b"one"
    s3.complete_multipart_upload(Bucket="kept", Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["a", "a/b", "parts"]
    assert s3.get_object(Bucket="kept", Key="parts")["Body"].read() == b"three"


def test_settings_that_were_never_set(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    for name, refusal in {"policy": "NoSuchBucketPolicy", "policy_status": "NoSuchBucketPolicy", "tagging": "NoSuchTagSet",
                          "lifecycle_configuration": "NoSuchLifecycleConfiguration", "cors": "NoSuchCORSConfiguration",
                          "website": "NoSuchWebsiteConfiguration", "replication": "ReplicationConfigurationNotFoundError"}.items():
        assert code(getattr(s3, f"get_bucket_{name}"), Bucket=bucket) == (refusal, 404)
    assert code(s3.get_object_lock_configuration, Bucket=bucket) == ("ObjectLockConfigurationNotFoundError", 404)
    assert [grant["Permission"] for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL"]
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert code(s3.get_object_tagging, Bucket=bucket, Key="absent") == ("NoSuchKey", 404)
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for name in ("logging", "notification_configuration", "accelerate_configuration"):
        assert set(getattr(s3, f"get_bucket_{name}")(Bucket=bucket)) == {"ResponseMetadata"}
    for name in ("analytics", "inventory", "metrics", "intelligent_tiering"):
        assert getattr(s3, f"list_bucket_{name}_configurations")(Bucket=bucket)["IsTruncated"] is False
    for name in ("cors", "lifecycle", "policy", "replication", "tagging", "website"):
        assert getattr(s3, f"delete_bucket_{name}")(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}) \
        == ("NotImplemented", 501)
    assert code(s3.get_bucket_cors, Bucket="no-such-bucket") == ("NoSuchBucket", 404)


def put_with_trailer(laketap, bucket, key, body, checksum):
    """As SDKs upload over https: chunks without signatures, the checksum behind them. Gives status and answer."""
    import http.client

    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    exports = laketap.exports()
    chunks = [body[at: at + 70_000] for at in range(0, len(body), 70_000)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    framed += b"0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n"
    headers = {"Content-Encoding": "aws-chunked,gzip", "X-Amz-Trailer": "x-amz-checksum-crc32", "Content-Length": str(len(framed)),
               "X-Amz-Decoded-Content-Length": str(len(body))}
    request = AWSRequest("PUT", f"{laketap.url}/{bucket}/{key}", headers=headers, data=framed)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"]), "s3", "us-east-1").add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    connection = http.client.HTTPConnection(laketap.url.removeprefix("http://"), timeout=20)
    connection.request("PUT", f"/{bucket}/{key}", framed, dict(request.headers.items()))
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def test_a_checksum_behind_the_body(laketap, s3, bucket):
    body = os.urandom(600_000)
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    wrong = base64.b64encode(zlib.crc32(b"x").to_bytes(4, "big")).decode()
    status, text, headers = put_with_trailer(laketap, bucket, "k", body, right)
    assert status == 200, text
    assert headers["x-amz-checksum-crc32"] == right
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body and got["ContentEncoding"] == "gzip"
    status, text, _ = put_with_trailer(laketap, bucket, "bad", body, wrong)
    assert (status, "<Code>BadDigest</Code>" in text) == (400, True), text
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_a_client_that_leaves_leaves_nothing(laketap, s3, bucket):
    import socket

    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from conftest import eventually

    exports = laketap.exports()
    request = AWSRequest("PUT", f"{laketap.url}/{bucket}/half", headers={"Content-Length": str(4 * MIB)}, data=b"")
    request.context["payload_signing_enabled"] = False
    signer = S3SigV4Auth(Credentials(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"]), "s3", "us-east-1")
    signer.payload = lambda _: "UNSIGNED-PAYLOAD"
    signer.add_auth(request)
    host = laketap.url.removeprefix("http://")
    head = f"PUT /{bucket}/half HTTP/1.1\r\nHost: {host}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in request.headers.items()) + "\r\n"
    with socket.create_connection(host.split(":"), timeout=10) as connection:
        connection.sendall(head.encode() + b"x" * MIB)
        uploads = laketap.data / "objects/.uploads"
        eventually(lambda: list(uploads.iterdir()))
    eventually(lambda: not list(uploads.iterdir()))
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
