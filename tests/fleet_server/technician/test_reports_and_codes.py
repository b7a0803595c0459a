"""An acceptance report is kept as it came, once; and every light, tune and calm screen of the firmware is explained."""

import io
import json
from typing import Any

from pypdf import PdfReader

from fleet_server.places import service as places
from fleet_server.technician.codes import codes
from tests.fleet_server.accounts.county import County
from tests.fleet_server.technician.conftest import Tool, both

DEVICE = "real00000001"
REPORT: dict[str, Any] = {
    "key": "ab" * 16,
    "tested_at": "2026-03-02T09:30:00+02:00",
    "board": "Olimex ESP32-POE-ISO",
    "serial": "24:6f:28:aa:bb:cc",
    "versions": {"firmware": "0.1.0", "micropython": "1.28.0"},
    "steps": [
        {"name": "buttons", "result": "passed", "note": "5 of 5"},
        {
            "name": "supply",
            "result": "passed",
            "measured": [{"name": "voltage", "figure": 4.98, "unit": "V", "low": 4.75, "high": 5.25}],
        },
        {"name": "<b>own step</b>", "result": "skipped", "note": "no radio here"},
    ],
}


@both
def test_a_report_is_kept_once_and_reads_as_it_was_sent(county: County, tool: Tool) -> None:
    path = f"/devices/{DEVICE}/acceptance"
    status, kept = tool(path, REPORT)
    assert (status, kept["verdict"], kept["by"]) == (201, "partial", "Tuula")
    assert tool(path, REPORT)[1] == kept
    assert tool("/devices/real00000002/acceptance", REPORT)[1]["error"] == "This report is another device's."
    county.now += 1
    failed = REPORT | {"key": "cd" * 16, "steps": [{"name": "sound", "result": "failed", "note": "silent"}]}
    assert tool(path, failed)[1]["verdict"] == "failed"
    assert [one["verdict"] for one in tool(path)[1]] == ["failed", "partial"]
    tuula = county.browser("tuula")
    newest = tuula.get(f"/devices/{DEVICE}/acceptance")
    assert newest.headers["location"] == f"/devices/{DEVICE}/acceptance/{kept['id'] + 1}"
    page = tuula.get(f"/devices/{DEVICE}/acceptance/{kept['id']}").text
    for words in ("Olimex ESP32-POE-ISO", "24:6f:28:aa:bb:cc", "1.28.0", "5 of 5", "4.98 V", "(4.75…5.25)"):
        assert words in page
    assert "&lt;b&gt;own step&lt;/b&gt;" in page
    assert "not all was tested" in page
    assert "Supply voltage" in page
    entry = county.audit()[-1]
    assert (entry.action, entry.actor) == ("accept device", "token:tuula@example.org (station)")
    assert json.loads(entry.after or "") == {"failed": ["sound"], "verdict": "failed"}


@both
def test_a_figure_with_one_limit_says_on_which_side_it_is(county: County, tool: Tool) -> None:
    one_sided = [
        {
            "name": "ethernet",
            "result": "passed",
            "measured": [{"name": "seconds", "figure": 2, "unit": "s", "high": 20}],
        },
        {
            "name": "radio",
            "result": "passed",
            "measured": [{"name": "signal", "figure": -60, "unit": "dBm", "low": -75}],
        },
    ]
    _, kept = tool(f"/devices/{DEVICE}/acceptance", REPORT | {"steps": REPORT["steps"] + one_sided})
    page = county.browser("tuula").get(f"/devices/{DEVICE}/acceptance/{kept['id']}").text
    limits = [part.partition(")")[0] for part in page.split('"quiet small">(')[1:]]
    assert limits == ["4.75…5.25", "≤&nbsp;20", "≥&nbsp;-75"]


def test_a_report_is_one_sheet_of_pdf_with_serial_number_versions_and_date(
    county: County, tool: Tool
) -> None:
    many = [{"name": f"step {n}", "result": "passed", "note": "seen by eye"} for n in range(37)]
    _, kept = tool(f"/devices/{DEVICE}/acceptance", REPORT | {"steps": REPORT["steps"] + many})
    address = f"/devices/{DEVICE}/acceptance/{kept['id']}"
    tuula = county.browser("tuula")
    assert f'href="{address}.pdf"' in tuula.get(address).text
    paper = tuula.get(f"{address}.pdf")
    county.app.state.printer.stop()
    assert paper.headers["content-disposition"] == f'inline; filename="acceptance-{DEVICE}-2026-03-02.pdf"'
    read = PdfReader(io.BytesIO(paper.content))
    assert len(read.pages) == 1, "twice as many steps as the tool has, too"
    text = " ".join(read.pages[0].extract_text().split())
    for words in (
        DEVICE,
        "24:6f:28:aa:bb:cc",
        "0.1.0",
        "1.28.0",
        "2026",
        "Tuula",
        "4.98 V",
        "step 36",
        "<b>own step</b>",
    ):
        assert words in text, words
    assert county.browser("charlie").get(f"{address}.pdf").status_code == 404


def test_a_report_is_for_who_sees_the_device_and_says_when_there_is_none(county: County, tool: Tool) -> None:
    _, kept = tool(f"/devices/{DEVICE}/acceptance", REPORT)
    address = f"/devices/{DEVICE}/acceptance/{kept['id']}"
    with county.database.write() as session:
        places.install(session, "test", device_id=DEVICE, place_id=county.places["lobby"], now=county.now)
    assert county.browser("charlie").get(address).status_code == 200, "he leads the unit where it stands"
    assert county.browser("bob").get(address).status_code == 404
    assert county.browser("tuula").get(f"/devices/real00000002/acceptance/{kept['id']}").status_code == 404
    none = county.browser("tuula").get("/devices/real00000002/acceptance").text
    assert "No acceptance report has been stored for this device." in none


def test_a_report_that_is_none_is_refused_with_the_field(county: County, tool: Tool) -> None:
    for wrong, field in (
        ({"steps": []}, "steps"),
        ({"key": "short"}, "key"),
        ({"tested_at": "2026-03-02T09:30:00"}, "tested_at"),
        ({"answers": [1]}, "answers"),
        ({"steps": [{"name": "x", "result": "fine"}]}, "steps.0.result"),
        ({"steps": [{"name": "x", "result": "passed"}] * 61}, "steps"),
    ):
        status, said = tool(f"/devices/{DEVICE}/acceptance", REPORT | wrong)
        assert (status, said["field"]) == (422, field)
    assert tool(f"/devices/{DEVICE}/acceptance")[1] == []


def test_every_tune_and_every_calm_screen_of_the_firmware_is_explained(county: County) -> None:
    from drivers.piezo import _TUNES
    from screens.words import STATES

    found = [code for kind in codes() for code in kind.codes]
    assert {code.tune for code in found} - {""} == set(_TUNES)
    assert {code.screen for code in found} - {""} == set(STATES)
    page = county.browser("tuula").get("/technician/codes").text
    assert all(text in page for _icon, texts in STATES.values() for text in texts)
