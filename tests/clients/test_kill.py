"""Exactly once per acknowledgement, over real kill -9 under load; and durable before the answer.

Every record is a number on a line of its own. Clients send each once (no retries) and note what was acknowledged.
Afterwards each acknowledged number stands in exactly one object, any other in at most one.
"""
import collections
import itertools
import os
import random
import re
import subprocess
import threading
import time

import pytest
from botocore.config import Config
from conftest import eventually

BUCKET = "kill-lake"
STREAM = "kill-stream"
ROUNDS = int(os.environ.get("LAKETAP_KILL_ROUNDS", "20"))
CLIENTS = 4
ONE_TRY = Config(retries={"total_max_attempts": 1}, read_timeout=10, connect_timeout=2)


def create_stream(server, name=STREAM, prefix="raw/", interval=1, size=1):
    server.client("s3").create_bucket(Bucket=BUCKET)
    server.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "Prefix": prefix,
            "BufferingHints": {"SizeInMBs": size, "IntervalInSeconds": interval},
        },
    )


class Sender(threading.Thread):
    """Puts batches of numbers until told to stop; a request that fails is not sent again."""

    def __init__(self, server, numbers):
        super().__init__(daemon=True)
        self.server, self.numbers = server, numbers
        self.acknowledged, self.sent = set(), set()
        self.stopping = False

    def run(self):
        client = self.server.client("firehose", config=ONE_TRY)
        while not self.stopping:
            batch = list(itertools.islice(self.numbers, random.randint(1, 60)))
            self.sent.update(batch)
            # Some records are long, so that batches become full and not only old.
            records = [{"Data": f"{number} {'x' * random.choice((0, 0, 0, 3000))}\n".encode()} for number in batch]
            try:
                answer = client.put_record_batch(DeliveryStreamName=STREAM, Records=records)
                assert answer["FailedPutCount"] == 0
                self.acknowledged.update(batch)
            except Exception:  # Killed in the middle, or not up again: not acknowledged.
                time.sleep(0.02)


def count_numbers(server, prefix=""):
    s3 = server.client("s3")
    counts = collections.Counter()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            counts.update(int(line.split()[0]) for line in body.splitlines())
    return counts


def change_destination(server, version):
    server.client("firehose").update_destination(
        DeliveryStreamName=STREAM,
        CurrentDeliveryStreamVersionId=version,
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"Prefix": random.choice(("raw/", "other/", "deep/er/"))},
    )


def test_each_acknowledged_record_stands_in_exactly_one_object(fresh):
    create_stream(fresh)
    numbers = itertools.count(1)
    lock = threading.Lock()

    def shared():  # itertools.count is one per process here; the lock keeps islices whole.
        while True:
            with lock:
                number = next(numbers)
            yield number

    senders = [Sender(fresh, shared()) for _ in range(CLIENTS)]
    for sender in senders:
        sender.start()
    for round_number in range(ROUNDS):
        time.sleep(random.uniform(0.2, 1.5))
        if round_number % 4 == 3:
            description = fresh.client("firehose").describe_delivery_stream(DeliveryStreamName=STREAM)
            change_destination(fresh, description["DeliveryStreamDescription"]["VersionId"])
        fresh.kill()
        fresh.start()
    time.sleep(0.5)
    for sender in senders:
        sender.stopping = True
    for sender in senders:
        sender.join(20)
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    sent = set().union(*(sender.sent for sender in senders))
    assert len(acknowledged) > 1000, "the clients hardly sent anything"

    eventually(lambda: acknowledged <= count_numbers(fresh).keys(), seconds=60, pause=1)
    counts = count_numbers(fresh)
    repeated = {number: count for number, count in counts.items() if count > 1}
    assert not repeated, f"{len(repeated)} numbers stand in more than one place, {list(repeated.items())[:5]}"
    assert counts.keys() <= sent


def test_records_wait_in_the_journal_over_a_stop(fresh):
    create_stream(fresh, interval=900, size=128)
    client = fresh.client("firehose")
    client.put_record(DeliveryStreamName=STREAM, Record={"Data": b"1\n"})
    assert fresh.stop() == 0
    fresh.start()
    client = fresh.client("firehose")
    client.put_record(DeliveryStreamName=STREAM, Record={"Data": b"2\n"})
    assert not count_numbers(fresh)

    client.delete_delivery_stream(DeliveryStreamName=STREAM)  # Delivers first what it accepted.

    eventually(lambda: count_numbers(fresh) == collections.Counter({1: 1, 2: 1}))
    eventually(lambda: STREAM not in client.list_delivery_streams()["DeliveryStreamNames"])


# The order of lines in strace's output is the order of events. Calls that others interrupt are in two lines.
CALL = re.compile(r"^(?:\[pid\s+)?(\d+)\]?\s+(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$")


def system_calls(trace):
    """(call, arguments, has it returned) in the order in which they began or returned."""
    begun = {}
    for line in trace.splitlines():
        match = CALL.match(line)
        if not match:
            continue
        process, name, arguments, resumed, rest = match.groups()
        if resumed:
            yield resumed, begun.pop((process, resumed), "") + rest, True
        elif "<unfinished" in arguments:
            begun[process, name] = arguments
            yield name, arguments, False
        else:
            yield name, arguments, True


@pytest.mark.skipif(subprocess.run(["which", "strace"], capture_output=True).returncode != 0, reason="no strace")
def test_the_sync_returns_before_the_answer_is_sent(fresh, tmp_path):
    create_stream(fresh, interval=900)
    client = fresh.client("firehose")
    client.put_record(DeliveryStreamName=STREAM, Record={"Data": b"0\n"})  # The connection is there.
    time.sleep(1.5)  # Nothing else is on its way to the disk.
    output = tmp_path / "trace"
    calls = "fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg,recvfrom,recvmsg,read,readv,io_uring_enter"
    tracer = subprocess.Popen(["strace", "-f", "-y", "-s", "400", "-e", f"trace={calls}", "-o", str(output), "-p", str(fresh.process.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        line = tracer.stderr.readline()
        if "attach" in line and "attached" not in line:
            pytest.skip(line)
        time.sleep(0.5)
        client.put_record(DeliveryStreamName=STREAM, Record={"Data": b"1\n"})
        time.sleep(0.5)
    finally:
        tracer.terminate()
        tracer.wait(10)

    asked = written = synced = answered = None
    for at, (name, arguments, returned) in enumerate(system_calls(output.read_text())):
        if returned and asked is None and "Firehose_20150804.PutRecord" in arguments:
            asked = at
        if asked is None:
            continue
        if name.startswith("pwrite") and "/journal/" in arguments and returned and written is None:
            written = at
        if name in ("fdatasync", "fsync") and "/journal/" in arguments and returned and written is not None and synced is None:
            assert arguments.rstrip().endswith("= 0"), arguments
            synced = at
        if name in ("sendto", "sendmsg", "write", "writev") and "HTTP/1.1 200" in arguments and answered is None:
            answered = at  # When the call begins, not when it returns.
    trace = output.read_text()[-4000:]
    assert asked is not None and answered is not None, trace
    assert written is not None and synced is not None, "no write and sync of the journal\n" + trace
    assert asked < written < synced < answered, trace
