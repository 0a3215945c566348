"""Writes sigv4_suite.json: requests with the odd corners that AWS's signing test suite has (its key, date, region and
service), signed by botocore. Run once with .deps/venv/bin/python; the file is kept, so that a new botocore changes nothing.
"""
import datetime
import hashlib
import json
import pathlib
from unittest import mock

import botocore
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
DATE = datetime.datetime(2015, 8, 30, 12, 36, 0)
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY_HASH = hashlib.sha256(b"Param1=value1").hexdigest()
FORM = "application/x-www-form-urlencoded"

# name, method, target, headers, body
REQUESTS = [
    ("get-header-key-duplicate", "GET", "/", [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], ""),
    ("get-header-value-order", "GET", "/", [("My-Header1", v) for v in ("value4", "value1", "value3", "value2")], ""),
    ("get-header-value-trim", "GET", "/", [("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')], ""),
    ("get-relative-normalized", "GET", "/example/..", [], ""),
    ("get-relative-relative-normalized", "GET", "/example1/example2/../..", [], ""),
    ("get-slash-normalized", "GET", "//", [], ""),
    ("get-slash-dot-slash-normalized", "GET", "/./", [], ""),
    ("get-slash-pointless-dot-normalized", "GET", "/./example", [], ""),
    ("get-slashes-normalized", "GET", "//example//", [], ""),
    ("get-space-normalized", "GET", "/example space/", [], ""),
    ("get-unreserved", "GET", "/" + UNRESERVED, [], ""),
    ("get-utf8", "GET", "/\u1234", [], ""),
    ("get-vanilla", "GET", "/", [], ""),
    ("get-vanilla-empty-query-key", "GET", "/?Param1=value1", [], ""),
    ("get-vanilla-query", "GET", "/", [], ""),
    ("get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", [], ""),
    ("get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", [], ""),
    ("get-vanilla-query-unreserved", "GET", f"/?{UNRESERVED}={UNRESERVED}", [], ""),
    ("get-vanilla-utf8-query", "GET", "/?%E1%88%B4=bar", [], ""),
    ("post-header-key-case", "POST", "/", [], ""),
    ("post-header-key-sort", "POST", "/", [("My-Header1", "value1")], ""),
    ("post-header-value-case", "POST", "/", [("My-Header1", "VALUE1")], ""),
    ("post-sts-header-before", "POST", "/", [], ""),
    ("post-vanilla", "POST", "/", [], ""),
    ("post-vanilla-empty-query-value", "POST", "/?Param1=value1", [], ""),
    ("post-x-www-form-urlencoded", "POST", "/", [("Content-Type", FORM), ("Content-Length", "13"), ("x-amz-content-sha256", BODY_HASH)], "Param1=value1"),
    ("post-x-www-form-urlencoded-parameters", "POST", "/", [("Content-Type", FORM + "; charset=utf-8"), ("Content-Length", "13"), ("x-amz-content-sha256", BODY_HASH)], "Param1=value1"),
]


def signed(name, method, target, headers, body):
    request = AWSRequest(method=method, url="https://example.amazonaws.com" + target, data=body)
    for key, value in headers:
        request.headers.add_header(key, value)
    token = TOKEN if name == "post-sts-header-before" else None
    with mock.patch("botocore.auth.get_current_datetime", return_value=DATE):
        SigV4Auth(Credentials(KEY, SECRET, token), "service", "us-east-1").add_auth(request)
    out = [["Host", "example.amazonaws.com"]] + [[key, value] for key, value in request.headers.items()]
    return {"name": name, "method": method, "target": target, "headers": out, "body": body}


text = json.dumps([signed(*one) for one in REQUESTS], indent=1)
pathlib.Path(__file__).with_name("sigv4_suite.json").write_text(text + "\n")
print(botocore.__version__, len(REQUESTS))
