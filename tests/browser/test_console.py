"""The console in a real browser: a person finds it, logs in, and sees what happens while it happens."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from conftest import Laketap, eventually  # noqa: E402

from playwright.sync_api import expect, sync_playwright  # noqa: E402

SHOTS = pathlib.Path(__file__).resolve().parents[2] / "build/screenshots"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Laketap(tmp_path_factory.mktemp("console") / "data")
    yield running
    assert running.stop() == 0, running.tail()


@pytest.fixture
def page():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else [])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        yield page
        browser.close()


def log_in(page, server):
    page.goto(server.url + "/")  # A browser's GET / leads to the console.
    assert page.url == server.url + "/_console/"
    page.fill("#user", "admin")
    page.fill("#password", "correct horse")
    page.click("#login-form button")
    expect(page.locator("#app")).to_be_visible()


def test_wrong_password_is_told(server, page):
    page.goto(server.url + "/_console/")
    page.fill("#user", "admin")
    page.fill("#password", "wrong")
    page.click("#login-form button")
    expect(page.locator("#login-problem")).to_contain_text("wrong")
    expect(page.locator("#app")).to_be_hidden()
    page.screenshot(path=SHOTS / "login.png")


def test_streams_objects_and_tables_live(server, page):
    log_in(page, server)
    expect(page.locator("#streams")).to_contain_text("No stream yet")
    page.screenshot(path=SHOTS / "empty.png")
    deployed = server.run("deploy", "--data", str(server.data), "--parameter", "rawDataBatchSizeInSeconds=60")
    assert "CREATE_COMPLETE" in deployed.stdout
    stream = server.client("firehose").list_delivery_streams()["DeliveryStreamNames"][0]
    expect(page.locator("#streams")).to_contain_text(stream, timeout=5000)
    server.run("generate", "--data", str(server.data), "--stream", stream, "--rate", "0", "--count", "20000")
    # Live, without a reload: the records, the table that came with the first of them, an object of the first MiB.
    expect(page.locator("#records")).to_contain_text("20,000", timeout=5000)
    expect(page.locator("#tables")).to_contain_text("customerid string", timeout=5000)
    expect(page.locator("#newest")).to_contain_text("raw/firehose/", timeout=15000)
    expect(page.locator("#live")).to_have_text("live")
    page.screenshot(path=SHOTS / "console.png", full_page=True)
    assert [problem for problem in page.problems if "401" not in problem] == []


def test_narrow_and_dark(server, page):
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SHOTS / "narrow-dark.png")


def test_log_out_ends_the_session(server, page):
    log_in(page, server)
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    page.click("#logout")
    expect(page.locator("#login")).to_be_visible()
    page.context.add_cookies([cookie])
    answer = page.request.get(server.url + "/_console/api/overview", headers={"X-Laketap-Console": "1"})
    assert answer.status == 401


def test_foreign_pages_get_nothing(server, page):
    log_in(page, server)
    # The cookie alone does not do: a form or an image of another site cannot send the header.
    assert page.request.get(server.url + "/_console/api/overview").status == 403
    assert page.request.post(server.url + "/_console/logout").status == 403
    policy = page.request.get(server.url + "/_console/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_says_when_the_server_is_gone(tmp_path, page):
    short = Laketap(tmp_path / "data")
    log_in(page, short)
    short.kill()
    expect(page.locator("#live")).to_contain_text("no answer", timeout=5000)
    short.start()
    expect(page.locator("#login")).to_be_visible(timeout=10000)  # Sessions end with the process.
    assert eventually(lambda: short.stop() == 0)
