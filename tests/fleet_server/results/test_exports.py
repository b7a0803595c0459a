"""Files, API and public page of results say what the pages say, to whom may read them, and never a formula or a zero
where something is withheld."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from fleet_server.accounts import county
from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.answers.book import book
from fleet_server.handling.models import SaidAndDid
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.phone.limits import Limits
from fleet_server.places import service as places
from fleet_server.places.models import Place, Unit
from fleet_server.results import national, release, texts
from fleet_server.results.csv_file import safe
from fleet_server.results.models import PLACE, Block
from fleet_server.results.pieces import between, cut
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import batch, clock
from tests.fleet_server.answers.messages import press as record
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import answer, text_of

ROOT = Path(__file__).resolve().parents[3]


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def write_text(world: World, text: str) -> None:
    """As if it had been let go with the first block there is."""
    with world.database.write() as session:
        block = session.exec(select(Block)).first()
        assert block is not None
        texts.release(session, block, [text])


def switch_on(world: World, *, public: bool = True) -> None:
    with world.database.write() as session:
        county.change(
            session, "test", second_person=False, required_languages=["fi"], public_results=public, now=world.now
        )  # fmt: skip


def code_of(world: World, key: str) -> str:
    with world.database.read() as session:
        return session.get_one(Place, world.places[key]).code


def test_csv_and_workbook_say_what_the_page_says_and_mark_what_is_withheld(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    world.now += 7 * DAY_MS
    answer(world, "A", 5, 1)
    write_text(world, "=HYPERLINK(1)")
    alice = world.sign_in("alice@example.org")
    place = f"/results/places/{world.places['A']}"
    answered = alice.get(f"{place}/results.csv?span=month")
    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert answered.headers["content-disposition"].startswith('attachment; filename="results-place-')
    rows = table(answered.content)
    assert len(rows) == 4, "one question, one kiosk, four weeks"
    week, last = rows[-2], rows[-1]
    told = {"status": "released", "n": "5", "headline": "0.8", "headline_low": "0.3755", "count_5": "3"}
    told |= {"share_5": "0.6", "count_2": "0", "count_0": "", "mean": "4.0", "device_model": "button5"}
    told |= {"channel": "kiosk", "device": "Kiosk A", "least_respondents": "5", "filtered": "left out"}
    assert {name: week[name] for name in told} == told
    assert week["value_labels"].startswith("1 = ")
    assert (last["status"], last["n"], last["count_5"], last["headline"]) == ("withheld", "", "", "")

    book = load_workbook(io.BytesIO(alice.get(f"{place}/results.xlsx?span=month").content))
    about, whole, periods, labels, texts = book.worksheets
    said = {row[0]: row[1] for row in about.iter_rows(min_row=2, values_only=True)}
    assert said["Waiting now"] == "2 answers wait until enough others have come."
    assert "at least 5 visitors" in said["Groups"]
    assert "not zero" in said["Withheld"]
    head = [cell.value for cell in whole[1]]
    total, kiosk = (dict(zip(head, row, strict=True)) for row in whole.iter_rows(min_row=2, values_only=True))
    assert (total["Channel"], total["n"], total["Value"]) == ("all", 5, 0.8)
    assert (kiosk["Device"], kiosk["Answers of value 5"], kiosk["Share of value 5"]) == ("Kiosk A", 3, 0.6)
    assert [row[10] for row in periods.iter_rows(min_row=2, values_only=True)][-2:] == [
        "released",
        "withheld",
    ]
    assert whole.freeze_panes == "C2"
    assert labels.max_row == 6
    assert (texts["D2"].value, texts["D2"].data_type, texts["D2"].quotePrefix) == ("=HYPERLINK(1)", "s", True)
    assert table(alice.get(f"{place}/texts.csv?span=month").content)[0]["text"] == "'=HYPERLINK(1)"

    unit = alice.get(f"/results/units/{world.units['A']}/results.csv?span=year").content
    assert {(row["channel"], row["device_id"]) for row in table(unit)} == {("kiosk", "")}
    for path in (f"/results/units/{world.units['B']}", f"/results/places/{world.places['B']}"):
        for file in ("results.csv", "results.xlsx", "texts.csv"):
            assert alice.get(f"{path}/{file}").status_code == 404
    assert world.sign_in("tuula@example.org").get(f"{place}/results.csv").status_code == 403
    with world.database.read() as session:
        log = session.exec(select(AuditEntry).where(AuditEntry.action == "download texts")).all()
    assert {(one.actor, one.object_kind, one.object_id) for one in log} == {
        ("alice@example.org", "place", str(world.places["A"]))
    }
    what = {"span": "month", "filtered": False, "texts": 1}
    assert [json.loads(one.after or "") for one in log] == [
        what | {"file": file} for file in ("results.xlsx", "texts.csv")
    ], "figures alone need no entry, and what was refused has none"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_text_is_a_formula(text: str) -> None:
    assert safe(text) == "'" + text
    assert safe("Hyvä =)") == "Hyvä =)"


def test_a_time_is_cut_at_its_ends_and_at_mondays_and_firsts() -> None:
    def cuts(grain: Any) -> list[str]:
        pieces = cut(between(date(2026, 2, 27), date(2026, 4, 2)), grain)
        return [f"{one.first:%m-%d}/{one.last:%m-%d}" for one in pieces]

    assert cuts("week") == [
        "02-27/03-01", "03-02/03-08", "03-09/03-15", "03-16/03-22", "03-23/03-29", "03-30/04-02"
    ]  # fmt: skip
    assert cuts("month") == ["02-27/02-28", "03-01/03-31", "04-01/04-02"]
    assert cuts("quarter") == ["02-27/03-31", "04-01/04-02"]
    assert cuts("whole") == ["02-27/04-02"]
    for last in (date(2026, 2, 26), date(2040, 1, 1)):
        with pytest.raises(ValueError, match="first day"):
            between(date(2026, 2, 27), last)


def test_a_program_reads_results_and_texts_like_the_page(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    for text in ("Kiitos", "Jono", "Hyvä"):
        write_text(world, text)
    here = world.token(Role.SUPERVISOR, "A")
    api, unit, place = (
        world.stranger(),
        f"/api/v1/units/{world.units['A']}",
        f"/api/v1/places/{world.places['A']}",
    )
    time = "from=2026-02-23&to=2026-03-08"
    got = api.get(f"{place}/results?{time}&grain=week", headers=here).json()
    (question,) = got["questions"]
    before, week = question["periods"]
    assert (before["status"], before["figures"], before["sources"][0]["figures"]) == ("withheld", None, None)
    assert week["figures"]["counts"] == {"1": 1, "2": 0, "3": 0, "4": 1, "5": 3}
    assert week["figures"]["headline"]["value"] == 0.8
    assert week["sources"][0]["device_model"] == "button5"
    assert question["texts"].keys() == {"fi", "sv", "en"}
    assert got["least_respondents"] == 5
    whole = api.get(f"{unit}/results?{time}", headers=here).json()["questions"][0]["periods"]
    assert [one["figures"]["n"] for one in whole] == [5]

    first = api.get(f"{unit}/texts?{time}&limit=2", headers=here).json()
    rest = api.get(f"{unit}/texts?{time}&limit=2&offset={first['next']}", headers=here).json()
    assert (first["found"], rest["next"]) == (3, None)
    assert {one["text"] for one in first["texts"] + rest["texts"]} == {"Kiitos", "Jono", "Hyvä"}
    assert api.get(f"{place}/texts?{time}&words=jono", headers=here).json()["found"] == 1

    for path in (f"/api/v1/units/{world.units['B']}", "/api/v1/places/999"):
        for what in ("results", "texts"):
            refused = api.get(f"{path}/{what}?{time}", headers=here)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert api.get(f"{unit}/results?{time}", headers=world.token(Role.TECHNICIAN)).status_code == 403
    for query, field, value in (
        ("from=2026-03-08&to=2026-03-07", "to", "2026-03-07"),
        ("from=2026-03-08&to=x", "to", "x"),
        (f"{time}&grain=hour", "grain", "hour"),
        ("from=0001-01-01&to=9999-12-31", "to", "9999-12-31"),
    ):
        refused = api.get(f"{unit}/results?{query}", headers=here)
        assert (refused.status_code, refused.json()["field"], refused.json()["value"]) == (422, field, value)
    description = api.get("/api/v1/openapi.json").json()["info"]["description"]
    assert "closed blocks" in description


def test_the_national_file_has_national_items_alone_and_says_what_is_withheld(world: World) -> None:
    # 12 recommend and five say something of their care at A; at B four recommend, which is too few.
    for key, scores in (("A", [10] * 6 + [8] * 3 + [2] * 3), ("B", [9] * 4)):
        records = [clock(0, MONDAY_10 - HOUR_MS, 0)]
        for value in scores:
            records.append(
                record(len(records), uptime=600 * len(records), set_number=1, question=0, value=value)
            )
        for value in (5, 4, 3, 2, 255) if key == "A" else ():
            records.append(
                record(len(records), uptime=600 * len(records), set_number=1, question=1, value=value)
            )
        with world.database.write() as session:
            book(session, world.kiosks[key].id, batch(9, *records).encode(), source="mqtt", now=world.now)
    answer(world, "A", 5, 5, 5, 5, 5)  # our own question with five faces
    with world.database.write() as session:
        while release.step(session, k=5, now=world.now).more:
            pass
        unit = session.get_one(Unit, world.units["A"])
        places.change_unit(
            session, "test", unit, parent_id=unit.parent_id, name_fi="=A", name_sv="A", name_en="A",
            oid="1.2.246.10.1", sector="health", now=world.now,
        )  # fmt: skip
        root = unit.parent_id
    with world.database.read() as session:
        time = national.whole_time(national.month_of("2026-02"), national.month_of("2026-03"))
        content = national.national_csv(session, time, "month")
        quarter = table(national.national_csv(session, time, "quarter"))
    rows = table(content)
    assert content.decode().splitlines()[0].split(",") == national.columns()
    assert {row["item_code"] for row in rows} == {"NPS", "K1"}, "no question of ours"
    by = {(int(row["unit_id"]), row["item_code"]): row for row in rows}
    assert len(by) == len(rows), "nobody answered in February, and nobody by phone"
    a = by[world.units["A"], "NPS"]
    told = {"unit_oid": "1.2.246.10.1", "unit_name": "'=A", "parent_oid": "none", "service": "health"}
    told |= {"channel": "kiosk", "period": "2026-03", "item_version": "1", "status": "released", "n": "10"}
    told |= {"share_10": "0.6", "share_8": "0.3", "share_2": "0.1", "least_respondents": "5", "scale": "nps"}
    assert {name: a[name] for name in told} == told
    assert (by[world.units["A"], "K1"]["cant_say"], by[world.units["A"], "K1"]["share_5"]) == ("1", "0.25")
    b = by[world.units["B"], "NPS"]
    assert (b["unit_oid"], b["status"], b["n"], b["share_10"]) == ("none", "withheld", "", "")
    assert (by[root or 0, "NPS"]["n"], by[root or 0, "NPS"]["parent_oid"]) == ("10", "")
    assert {row["period"] for row in quarter} == {"2026-Q1"}
    assert quarter[0]["period_start"] == "2026-02-01"


def test_the_documented_columns_are_those_of_the_file() -> None:
    page = (ROOT / "docs/national-file.md").read_text()
    for name in national.columns():
        assert f"`{name}`" in page or name.startswith("share_"), name
    fields = {field["name"]: field for field in national.schema()["fields"]}
    assert fields["status"]["constraints"]["enum"] == ["released", "withheld"]


def test_the_national_page_is_for_who_coordinates_the_whole_county(world: World) -> None:
    with world.database.write() as session:
        root = session.get_one(Unit, world.units["A"]).parent_id
        for name, unit in (("rita", root), ("kaisa", world.units["A"])):
            accounts.create_user(
                session, email=f"{name}@example.org", name=name, language="en",
                roles=[(Role.COORDINATOR, unit)], now=world.now,
            )  # fmt: skip
    rita, kaisa = world.sign_in("rita@example.org"), world.sign_in("kaisa@example.org")
    page = text_of(rita.get("/results/national").text)
    assert "3 units have no OID" in page
    assert "National comparison file" in rita.get("/results").text
    assert "National comparison file" not in kaisa.get("/results").text
    file = rita.get("/results/national/file.csv?from=2026-01&to=2026-03&grain=quarter")
    assert (file.status_code, table(file.content)) == (200, [])
    assert rita.get("/results/national/schema.json").json() == national.schema()
    for query, fault in (
        ("from=2026-03&to=2026-01", "2026-01 is before the first month, which is 2026-03."),
        ("from=2026-3&to=2026-04", "“2026-3” is no month"),
        ("from=2010-01&to=2026-01", "at most 36 months"),
        ("", "“” is no month"),
    ):
        refused = rita.get(f"/results/national/file.csv?{query}")
        assert (refused.status_code, fault in text_of(refused.text)) == (422, True), refused.text
    for path in ("", "/file.csv?from=2026-01&to=2026-03", "/schema.json"):
        assert kaisa.get(f"/results/national{path}").status_code == 404
        assert world.sign_in("alice@example.org").get(f"/results/national{path}").status_code == 403


def test_everybody_sees_a_places_page_once_it_is_switched_on_and_never_fewer_than_ten(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    phone, path = world.stranger(), f"/p/{code_of(world, 'A')}/results"
    unknown = phone.get("/p/bbbbbbbb/results?lang=en")
    assert unknown.status_code == 404
    off = phone.get(f"{path}?lang=en")
    assert (off.status_code, off.text) == (404, unknown.text)
    switch_on(world)
    page = phone.get(f"{path}?lang=en")
    assert page.status_code == 200
    assert "at least 10 visitors" in page.text
    assert "Positive" not in page.text, "five are too few for everybody"
    answer(world, "A", 5, 5, 5, 5, 2)
    page = phone.get(path, headers={"accept-language": "en"})
    assert "80 % Positive (4 and 5)" in text_of(page.text)
    assert "10 visitors · 95 % interval" in text_of(page.text)
    assert page.headers["cache-control"] == "public, max-age=600"
    assert "set-cookie" not in page.headers
    assert (
        phone.get(path, headers={"accept-language": "en", "if-none-match": page.headers["etag"]}).status_code
        == 304
    )
    assert "Mitä kävijät sanovat" in phone.get(f"{path}?lang=fi").text
    assert "Vad besökarna säger" in phone.get(f"{path}?lang=sv").text
    alice = world.sign_in("alice@example.org")
    assert path in alice.get(f"/results/places/{world.places['A']}").text
    assert "You said" not in page.text
    with world.database.write() as session:
        note = {
            "said_en": "The wait is long",
            "did_en": "We open at seven",
            "changed_at": 0,
            "changed_by": "test",
        }
        here = {"scope": PLACE, "scope_id": world.places["A"]}
        session.add(SaidAndDid(**here, **note, published_at=world.now))
        session.add(SaidAndDid(**here, **note | {"did_en": "Not published"}))
    read = text_of(phone.get(f"{path}?lang=sv").text)
    assert "The wait is long" in read
    assert "We open at seven" in read
    assert "Not published" not in read
    world.now += 31 * DAY_MS
    assert "Positive" not in phone.get(f"{path}?lang=en").text
    world.app.state.read_limits = Limits(per_place=9, per_address=1)
    first, second = (phone.get(f"{path}?lang=en") for _ in range(2))
    assert (first.status_code, second.status_code, second.headers["retry-after"]) == (200, 429, "600")
    with world.database.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.object_id == "public_results")).one()
        assert (json.loads(entry.before or ""), json.loads(entry.after or "")) == (
            {"public_results": False},
            {"public_results": True},
        )
