"""What holds for every request: our own pages only, headers, sizes, and errors that a person can read."""

import hashlib
import re
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from fleet_server.web.security import MAX_BODY_BYTES, same_origin
from fleet_server.web.templating import STATIC, static
from tests.fleet_server.accounts.county import County

FORM = {"name": "Hall", "unit_id": "3"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://testserver"}, True),
        ({"origin": "http://testserver:81"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[broken"}, False),
        ({}, True),
    ],
)
def test_another_sites_page_cannot_change_anything(
    county: County, headers: dict[str, str], allowed: bool
) -> None:
    answer = county.browser("alice").post("/places/new", data=FORM, headers=headers)
    assert answer.status_code == (303 if allowed else 403)
    assert same_origin(Headers(headers | {"host": "testserver"})) is allowed
    assert (county.audit()[-1].after or "").startswith('{"demo": false, "name": "Hall"') is allowed


def test_reading_is_open_to_links_from_other_sites(county: County) -> None:
    assert county.browser("alice").get("/units", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_pages_run_no_foreign_or_inline_code_and_are_not_kept(county: County) -> None:
    for address in ("/units", "/sign-in", "/nothing", "/people/new"):
        answer = county.browser("alice").get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script>|<style>| style=| on[a-z]+=", answer.text), address


def test_a_page_that_fails_has_the_headers_too_and_says_so_plainly(county: County) -> None:
    from starlette.testclient import TestClient

    county.app.state.database = None
    answer = TestClient(county.app, raise_server_exceptions=False).get(
        "/sign-in", headers={"accept-language": "en"}
    )
    assert answer.status_code == 200, "the sign-in page asks nothing of the database"
    answer = TestClient(county.app, raise_server_exceptions=False).post("/sign-out")
    assert answer.status_code == 500
    assert "content-security-policy" in answer.headers
    assert "Traceback" not in answer.text


def test_a_body_that_is_too_large_is_refused_announced_or_not(county: County) -> None:
    alice = county.browser("alice")
    large = b"name=" + b"x" * MAX_BODY_BYTES
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert alice.post("/places/new", content=large, headers=kind).status_code == 413
    pieces = (large[start : start + 65536] for start in range(0, len(large), 65536))
    assert alice.post("/places/new", content=pieces, headers=kind).status_code == 413


@pytest.mark.parametrize(
    ("address", "status"),
    [("/nothing", 404), ("/units/0", 404), ("/units/99999999999999999999", 404), ("/units/abc", 404),
     ("/people/12345", 404), ("/places/2147483648/edit", 404), ("/audit?below=x", 422), ("/audit?actor=%00", 422)],
)  # fmt: skip
def test_a_wrong_address_is_a_page_that_says_so(county: County, address: str, status: int) -> None:
    answer = county.browser("alice").get(address)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "Alice" in answer.text, "the person is still signed in and can go on"


def test_a_wrong_method_is_a_page_too(county: County) -> None:
    answer = county.browser("alice").get("/sign-out")
    assert answer.status_code == 405
    assert "<h1>" in answer.text


def test_what_is_typed_is_shown_as_text(county: County) -> None:
    alice = county.browser("alice")
    name = '"><script>alert(1)</script>'
    assert alice.post("/places/new", data={"name": name, "unit_id": "3"}).status_code == 303
    assert "<script>alert" not in alice.get("/units").text
    assert "<script>alert" not in alice.get("/audit").text
    assert "<script>alert" not in alice.post("/places/new", data={"name": name, "unit_id": "3"}).text


def test_static_files_are_kept_for_ever_under_the_name_of_their_content(county: County) -> None:
    browser = county.stranger()
    address = static("hymio.css")
    assert browser.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in browser.get("/static/hymio.css").headers["cache-control"]
    assert browser.get("/static/../app.py").status_code == 404
    page = browser.get("/sign-in").text
    for found in re.findall(r'(?:href|src)="(/static/[^"?]+)', page):
        assert browser.get(found).status_code == 200, found


def test_files_of_others_are_what_their_list_says() -> None:
    vendor = STATIC / "vendor"
    listed = dict(
        re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.M)
    )
    there = {
        str(path.relative_to(vendor)) for path in vendor.rglob("*") if path.suffix not in (".md", ".txt", "")
    }
    assert set(listed) == there
    for name, checksum in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == checksum
    styles = (STATIC / "hymio.css").read_text()
    for address in re.findall(r"url\(([^)]+)\)", styles):
        assert Path(STATIC / address).exists()
