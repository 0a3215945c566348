"""What real people trip over: the cases of cases/*.yaml, replayed by cases/run_cases.py against a server.

failing_cases.txt lists what does not pass yet, with the reason, and may only shrink: a case that fails and is not listed
fails this test, and so does a listed one that passes.
"""
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

FOLDER = ROOT / "tests/clients"


def listed():
    out = {}
    for line in (FOLDER / "failing_cases.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            out[name] = reason.strip()
    return out


@pytest.mark.parametrize("area", ["firehose", "s3-layout", "crawler", "athena-json", "cloudformation"])
def test_cases(laketap, area):
    done = subprocess.run([sys.executable, str(FOLDER / "cases/run_cases.py"), "--jobs", "4", "--wait", "60", str(FOLDER / f"cases/{area}.yaml")],
                          env={**laketap.environment, "EP": laketap.url}, capture_output=True, text=True, timeout=900)
    results = dict(reversed(pair) for pair in re.findall(r"^(ok|not ok) (\S+)", done.stdout, re.M))
    assert results, done.stdout + done.stderr
    known = listed()
    assert all(known.values()), "each listed case needs its reason"
    failing = {name for name, result in results.items() if result == "not ok"}
    print(done.stdout)
    new = failing - set(known)
    mended = {name for name in known if name in results} - failing
    assert not new, f"fail and are not listed: {sorted(new)}\n{done.stdout}"
    assert not mended, f"pass now, take them off failing_cases.txt: {sorted(mended)}"
