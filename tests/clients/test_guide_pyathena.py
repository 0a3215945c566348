"""The guide's three questions by PyAthena, over records that no crawl has seen and that are not delivered yet."""
import json

from conftest import eventually
from test_guide_cli import QUERIES


def test_guide(laketap):
    from pyathena import connect

    laketap.run("deploy", "--stack-name", "pipeline", "--parameter", "s3BucketName=guide-pyathena", "--parameter", "databaseName=events")
    stream = next(n for n in laketap.client("firehose").list_delivery_streams()["DeliveryStreamNames"] if n.startswith("pipeline-deliveryStream-"))
    report = json.loads(laketap.run("generate", "--stream", stream, "--template", "builtin:clickstream", "--rate", "0", "--count", "2000",
                                    "--report", "json").stdout)
    assert report["records"] == 2000
    e = laketap.exports()
    cursor = connect(s3_staging_dir="s3://guide-pyathena/results/", region_name="us-east-1", endpoint_url=laketap.url, schema_name="events",
                     aws_access_key_id=e["AWS_ACCESS_KEY_ID"], aws_secret_access_key=e["AWS_SECRET_ACCESS_KEY"], poll_interval=0.05).cursor()

    def total():
        return cursor.execute(QUERIES[0]).fetchall() == [(2000,)]

    eventually(total, 10)
    assert [column[0] for column in cursor.description] == ["total"]
    per_gender = cursor.execute(QUERIES[1]).fetchall()
    assert {gender for _, gender in per_gender} == {"M", "F"}
    purchases = cursor.execute(QUERIES[2]).fetchall()
    assert {product for _, product in purchases} == {"", "shoes", "bags", "cosmetics", "apparel"}
    checkouts = cursor.execute("SELECT count(*) FROM firehose WHERE event.type = 'checkout'").fetchone()[0]
    assert sum(number for number, _ in purchases) == checkouts
