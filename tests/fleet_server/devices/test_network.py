"""Network settings wished from the server: fields by name, one key in one place for as long as it must, and what the
kiosk says became of it; with the firmware's own code at the other end."""

import json
from pathlib import Path
from typing import Any

import pytest
from kiosk.clock import Uptime
from kiosk.tried import Tried
from sqlmodel import col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.devices import desired, network, reports
from fleet_server.devices.models import Device
from fleet_server.devices.network_models import NetworkChange
from tests.fleet_server.accounts.county import County
from tests.fleet_server.answers.conftest import postgresql
from tests.fleet_server.technician.conftest import both, county

__all__ = ["county", "postgresql"]

DEVICE = "real00000001"
KEY = "hunter22-secret"
GOOD = {
    "way": "radio",
    "ssid": "Sairaala",
    "key": KEY,
    "host": "mqtt.example.fi",
    "port": "8884",
    "confirmed": "yes",
}
PAGE = f"/devices/{DEVICE}/network"


def operator(county: County) -> Any:
    return county.browser("otto")


def sent(county: County) -> Any:
    """The settings in the document that the kiosk gets next."""
    with county.database.write() as session:
        message = desired.answer(session, session.get_one(Device, DEVICE), 0, now=county.now)
        assert message is not None
        return json.loads(message[1])["settings"].get("network")


def report(county: County, **said: Any) -> None:
    with county.database.write() as session:
        reports.take(session, DEVICE, {"v": 1, "desired": 0, "network": said}, now=county.now)


def kept(county: County) -> str:
    """All that the database holds of wishes, documents, reports and changes."""
    with county.database.read() as session:
        device = session.get_one(Device, DEVICE)
        rows = session.exec(select(NetworkChange)).all()
        audit = session.exec(select(AuditEntry)).all()
        return json.dumps([device.model_dump(), *(row.model_dump() for row in [*rows, *audit])])


@both
def test_a_wish_is_sent_tried_and_its_key_wiped(county: County) -> None:
    browser = operator(county)
    assert sent(county) is None
    answer = browser.post(PAGE, data=GOOD)
    assert answer.status_code == 303 or answer.url.path == PAGE
    wish = sent(county)
    version = wish.pop("version")
    assert wish == {"ssid": "Sairaala", "key": KEY, "host": "mqtt.example.fi", "port": 8884}
    assert kept(county).count(KEY) == 1, "in one row"
    report(county, version=version - 1, state="back", reason="of an older one")
    assert sent(county)["version"] == version
    report(county, version=version, state="trying", reason="")
    assert sent(county) is None
    assert KEY not in kept(county)
    assert "trying" in browser.get(f"/devices/{DEVICE}").text
    assert browser.post(PAGE, data=GOOD).status_code == 409, "one trial at a time"
    report(county, version=version, state="back", reason="no address from the network\n (wifi)")
    page = browser.get(PAGE).text
    assert "went back" in page
    assert "because: no address from the network (wifi)" in page
    assert KEY not in page
    report(county, version=version, state="kept", reason="")
    assert "went back" in browser.get(PAGE).text, "what went back is over"
    browser.post(PAGE, data={**GOOD, "way": "cable", "ssid": "", "key": ""})
    later = sent(county)
    assert (later["ssid"], "key" in later, later["version"] > version) == ("", False, True)
    report(county, version=later["version"], state="kept", reason="")
    assert ">kept<" in browser.get(PAGE).text
    with county.database.read() as session:
        actions = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all()
    assert [one for one in actions if "network" in one] == [
        "change network", "network trying", "network back", "change network", "network kept",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ({"ssid": ""}, "ssid", "This is empty"),
        ({"ssid": "ä" * 17}, "ssid", "ä" * 17),
        ({"key": "short"}, "key", "this one has 5"),
        ({"key": "ä" * 10}, "key", "this one has 10"),
        ({"host": "-bad-.example"}, "host", "-bad-.example"),
        ({"host": "300.1.1.1"}, "host", "300.1.1.1"),
        ({"port": "70000"}, "port", "70000"),
        ({"port": "mqtt"}, "port", "mqtt"),
        ({"way": "carrier pigeon"}, "way", "carrier pigeon"),
        ({"way": "cable"}, "way", "neither a name nor a key"),
        ({"way": ""}, "way", "Choose Wi-Fi"),
        ({"way": "", "ssid": "", "key": "", "host": "", "port": ""}, "way", "Nothing is to be changed"),
        ({"confirmed": ""}, "confirmed", "Confirm that"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_wished(
    county: County, typed: dict[str, str], field: str, value: str
) -> None:
    answer = operator(county).post(PAGE, data=GOOD | typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert value in answer.text
    assert KEY not in answer.text, "a key is not filled in again"
    if field != "host":
        assert (GOOD | typed)["host"] in answer.text, "the rest of the form is kept"
    assert sent(county) is None


def test_only_operators_change_it_and_only_of_kiosks_that_there_are(county: County) -> None:
    for name in ("tuula", "charlie", "bob"):
        browser = county.browser(name)
        assert browser.get(PAGE).status_code == 403
        assert browser.post(PAGE, data=GOOD).status_code == 403
        assert "/network" not in browser.get(f"/devices/{DEVICE}").text
    assert operator(county).get("/devices/real99999999/network").status_code == 404
    assert operator(county).post("/devices/real99999999/network", data=GOOD).status_code == 404


def test_a_wish_can_be_taken_back_until_it_is_fetched_and_ends_after_a_week(county: County) -> None:
    browser = operator(county)
    assert browser.post(f"{PAGE}/withdraw").status_code == 409
    browser.post(PAGE, data=GOOD)
    browser.post(f"{PAGE}/withdraw")
    assert sent(county) is None
    assert KEY not in kept(county)
    browser.post(PAGE, data=GOOD)
    assert KEY in kept(county)
    with county.database.write() as session:
        assert network.forget(session, now=county.now + network.KEEP_MS - 1) == 0
        assert network.forget(session, now=county.now + network.KEEP_MS) == 1
    assert KEY not in kept(county)
    assert "not fetched" in browser.get(PAGE).text


def test_a_program_wishes_and_reads_it_and_reads_no_key(county: County) -> None:
    browser = operator(county)
    address = f"/api/v1{PAGE}"
    assert browser.get(address).json()["state"] == "none"
    refused = browser.post(address, json={"port": "0"})
    assert (refused.status_code, refused.json()["field"]) == (422, "port")
    made = browser.post(address, json={"way": "radio", "ssid": "Sairaala", "key": KEY})
    assert made.status_code == 202
    assert (made.json()["state"], made.json()["key"], made.json()["host"]) == ("wished", True, None)
    assert KEY not in made.text + browser.get(address).text
    assert sent(county)["key"] == KEY
    report(county, version=made.json()["version"], state="trying", reason="")
    hindered = browser.post(address, json={"port": "1883"})
    assert (hindered.status_code, hindered.json()["code"]) == (422, "hindered")
    assert county.browser("tuula").get(address).status_code == 403


@pytest.mark.parametrize(("reached", "state"), [(True, "kept"), (False, "back")])
def test_server_and_firmware_agree(county: County, tmp_path: Path, reached: bool, state: str) -> None:
    operator(county).post(PAGE, data={**GOOD, "way": "", "ssid": "", "key": ""})
    (tmp_path / "state").mkdir()
    now = [0]
    tried = Tried(str(tmp_path), Uptime(lambda: now[0]), print)
    wish = sent(county)
    for _ in range(100):
        tried.look(wish, reached, "connection refused")
        report(county, **tried.report())
        if tried.state == state:
            break
        if tried.restart:
            tried = Tried(str(tmp_path), Uptime(lambda: now[0]), print)
        wish = sent(county) if wish is not None else None
        now[0] += 10_000
    with county.database.read() as session:
        row = network.newest(session, DEVICE)
        assert row is not None
        assert (row.state, row.reason) == (state, "" if reached else "connection refused")
