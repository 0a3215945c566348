"""A Laketap of its own for each test module: fresh data folder, free port, real clients pointed at it.

LAKETAP_BINARY names another program than build/laketap (a sanitized one, say).
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LAKETAP_BINARY", str(ROOT / "build/laketap"))
AWS = str(ROOT / ".deps/venv/bin/aws")


class Laketap:
    """One server process on one data folder. start() and kill() may alternate."""

    def __init__(self, data, extra=(), env=None):
        self.data = pathlib.Path(data)
        self.extra = list(extra)
        self.more = dict(env or {})
        self.process = None
        self.url = None
        self.environment = None
        self.start()

    def start(self, listen=None):
        listen = listen or (self.url.removeprefix("http://") if self.url else "127.0.0.1:0")
        environment = {**os.environ, "LAKETAP_CONSOLE_PASSWORD": "correct horse", **self.more}
        self.log = open(self.data.parent / (self.data.name + ".log"), "ab")
        begin = time.monotonic()
        self.process = subprocess.Popen([BINARY, "up", "--data", str(self.data), "--listen", listen, *self.extra],
                                        stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        for line in self.process.stdout:
            if line.startswith("tls: "):
                self.tls = line.split()[1]
            match = re.match(r"laketap ready (http://\S+) console (http://\S+/_console/)", line)
            if match:
                self.url = match.group(1)
                self.seconds_to_ready = time.monotonic() - begin
                break
        else:
            raise AssertionError(f"laketap did not start: {self.process.wait()}; {self.tail()}")
        self.environment = {**os.environ, **self.exports()}
        return self

    def tail(self):
        return (self.data.parent / (self.data.name + ".log")).read_text(errors="replace")[-3000:]

    def exports(self):
        text = subprocess.run([BINARY, "env", "--data", str(self.data)], capture_output=True, text=True, check=True).stdout
        pairs = re.findall(r"(\w+)=(\S+)", text)
        return {name: value.strip("'\"") for name, value in pairs}

    def stop(self, wait=60):
        """SIGTERM: drains and ends with status 0."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(wait)
        return self.process.returncode if self.process else None

    def kill(self):
        """kill -9, as a power cut does it."""
        self.process.kill()
        self.process.wait()

    def client(self, service, **more):
        import boto3
        from botocore.config import Config

        e = self.exports()
        config = more.pop("config", None) or Config(retries={"max_attempts": 1}, read_timeout=60)
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=e["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=e["AWS_SECRET_ACCESS_KEY"], config=config, **more)

    def run(self, *arguments, check=True, text=True, **more):
        """A command of ours: laketap ARGUMENTS."""
        return subprocess.run([BINARY, *arguments], env=self.environment, capture_output=True, text=text, check=check, timeout=120, **more)

    def aws(self, *arguments, check=True):
        """The AWS CLI, unmodified, with the environment that `laketap env` prints."""
        done = subprocess.run([AWS, *arguments], env={**self.environment, "AWS_PAGER": ""}, capture_output=True, text=True, timeout=180)
        if check and done.returncode != 0:
            raise AssertionError(f"aws {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


@pytest.fixture(scope="module")
def laketap(tmp_path_factory):
    server = Laketap(tmp_path_factory.mktemp("laketap") / "data")
    yield server
    assert server.stop() == 0, server.tail()


@pytest.fixture
def fresh(tmp_path):
    """A server that one test may kill and start again."""
    server = Laketap(tmp_path / "data")
    yield server
    if server.process.poll() is None:
        server.kill()


def eventually(check, seconds=30, pause=0.1):
    """Calls check() until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        last = check()
        if last:
            return last
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {check}")
        time.sleep(pause)


sys.path.insert(0, str(pathlib.Path(__file__).parent))
