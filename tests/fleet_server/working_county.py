"""A county in the middle of its work with question sets, for looking at its pages: something of everything is there.

`furnish` fills the county of accounts/county.py; PAGES and FORMS say how each page is reached.
Faults are made the way people make them: a text that is missing, a spreadsheet with errors, a kiosk that refuses.
"""

import io
import json
from typing import Any

from openpyxl import load_workbook
from sqlmodel import Session, select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.devices.models import Device
from fleet_server.drafts import approval, publish, seen, service
from fleet_server.drafts.models import Draft
from fleet_server.instants import DAY_MS
from fleet_server.places import service as places
from fleet_server.places.choosing import label_place
from fleet_server.places.models import Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions import versions
from fleet_server.questions.models import QuestionSet
from fleet_server.rollouts import service as rollouts
from fleet_server.rollouts.plan import AT_ONCE, Stage, StopRule
from tests.fleet_server.accounts.county import County
from tests.fleet_server.rollouts.conftest import OLD, Fleet
from tests.fleet_server.rollouts.test_rollouts import refuse

UNITS = {
    "county": ("Lakeuden hyvinvointialue", "Slättens välfärdsområde"),
    "health": ("Terveyspalvelut", "Hälsovård"),
    "clinic": ("Keskustan terveysasema", "Centrums hälsostation"),
    "social": ("Sosiaalipalvelut", "Socialvård"),
}
PLACES = ("Pääovi", "Röntgen", "Laboratorio", "Neuvola", "Hammashoitola", "Kuntoutus", "Päivystys", "Aula")
ICE = {
    "type": "choice",
    "text": {
        "fi": "Oliko pihalla liukasta?",
        "sv": "Var det halt på gården?",
        "en": "Was the yard slippery?",
    },
    "labels": {"fi": ["Kyllä", "Ei"], "sv": ["Ja", "Nej"], "en": ["Yes", "No"]},
}


NUMBER = 10  # of the set that was made of the published draft; the ready ones have 1 to 9
UNFINISHED, WHOLE, ASKED, APPROVED, PUBLISHED = (f"/drafts/{draft}" for draft in range(1, 6))
PAGES = {
    "sets": "/question-sets",
    "archive": "/question-sets?archived=true",
    "set": f"/question-sets/{NUMBER}",
    "set screens": "/question-sets/7/screens?model=touch&language=fi",
    "set walk": "/question-sets/7/walk?language=fi",
    "manage": f"/question-sets/{NUMBER}/manage",
    "manage archived": "/question-sets/9/manage",
    "compare": f"/question-sets/7/compare/{NUMBER}",
    "drafts": "/drafts",
    "new draft": "/drafts/new?copy_of=7",
    "editor": UNFINISHED,
    "editor of what is whole": WHOLE,
    "editor of what is published": PUBLISHED,
    "history": f"{UNFINISHED}/history",
    "drop": f"{UNFINISHED}/drop",
    "texts": f"{UNFINISHED}/texts",
    "texts missing": f"{UNFINISHED}/texts?show=missing",
    "texts stale": f"{UNFINISHED}/texts?show=stale",
    "preview": f"{WHOLE}/preview?model=touch&language=fi",
    "preview on paper": f"{UNFINISHED}/preview?model=button5",
    "walk": f"{WHOLE}/walk?language=fi",
    "draft compare": f"{WHOLE}/compare",
    "publish with faults": f"{UNFINISHED}/publish",
    "publish": f"{WHOLE}/publish",
    "approval": f"{ASKED}/publish",
    "approved": f"{APPROVED}/publish",
    "published": f"{PUBLISHED}/publish",
    "county rules": "/county",
    "rollouts": "/rollouts",
    "new rollout": "/rollouts/new?set=1",
    "rollout done": "/rollouts/1",
    "rollout halted": "/rollouts/2",
    "rollout paused": "/rollouts/3",
    "rollout running": "/rollouts/4",
    "labels": "/labels",
    "schedules": "/schedules",
    "new schedule": "/schedules/new",
    "schedule": "/schedules/2",
    "device with schedules": "/devices/kiosk0000001",
}
# Pages that answer a sent form, with faults or with what would be: where it is sent, and what.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "new draft with faults": ("/drafts/new", {"name": " ", "copy_of": "999"}),
    "editor with faults": (
        UNFINISHED,
        {"revision": "0", "idle_s": "hetki", "thanks/fi": "x" * 1001, "version": "9" * 30},
    ),
    "editor with conflict": (UNFINISHED, {"revision": "0", "thanks/sv": "Tack så mycket!"}),
    "texts with faults": (f"{UNFINISHED}/texts", {"revision": "1", "thanks/fi": "x" * 1001}),
    "manage with faults": (f"/question-sets/{NUMBER}/label", {"label": "x" * 200}),
    "archive refused": ("/question-sets/3/archive", {"sure": "yes"}),
    "publish refused": (f"{UNFINISHED}/publish", {"revision": "4"}),
    "plan": ("/rollouts/new", {"set": "1", "kind1": "places", "count1": "1", "hours1": "24", "kind2": "all"}),
    "plan with faults": ("/rollouts/new", {"set": "6", "kind1": "places", "count1": "x", "refused": "500"}),
    "schedule with faults": ("/schedules/new", {"name": "", "mon": "25-99", "first_day": "huomenna"}),
}
SHEETS = ("sheet", "sheet with faults")


def furnish(county: County) -> None:
    """People as in accounts/county.py, and Cora, another coordinator; what each of PAGES needs is there."""
    kiosks = _kiosks(county)
    _drafts(county)
    _schedules(county)
    _rollouts(county, kiosks)


def sheets(county: County) -> dict[str, bytes]:
    """Spreadsheets for the unfinished draft: one that changes something, one with faults of every kind."""
    whole = county.browser("bob").get("/drafts/1/texts.xlsx").content
    found: dict[str, bytes] = {}
    for name in SHEETS:
        book = load_workbook(io.BytesIO(whole))
        table = book.active
        for row in table.iter_rows(min_row=2):
            if row[0].value in ("thanks", "questions/ICE/text"):
                row[5].value = "Stort tack för ditt svar!"
        if name == "sheet with faults":
            table.append(["questions/GONE/text", "Kysymys", "", "Missä?", "", "Var?"])
            table.append(["thanks", "Kiitos", "", "Kiitos", "", "x" * 1200])
        file = io.BytesIO()
        book.save(file)
        found[name] = file.getvalue()
    return found


def _kiosks(county: County) -> list[str]:
    """Eight kiosks at the clinic's places, seven with buttons and one to touch, all asking set 3."""
    since = county.now - 60 * DAY_MS
    found = []
    with county.database.write() as session:
        questions.add_national(session, now=since)
        for key, (finnish, swedish) in UNITS.items():
            unit = session.get_one(Unit, county.units[key])
            unit.name_fi, unit.name_sv = finnish, swedish
            session.add(unit)
        for number, name in enumerate(PLACES, 1):
            model = "touch" if name == "Aula" else "button5"
            device = Device(
                id=f"kiosk{number:07}",
                name=f"K-{number:03}",
                model=model,
                secret_sha256="0" * 64,
                created_at=since,
            )
            session.add(device)
            session.flush()
            place = places.create_place(
                session, "test", unit_id=county.units["clinic"], name=name, demo=False, now=since
            )
            places.install(session, "test", device_id=device.id, place_id=place.id or 0, now=since)
            found.append(device.id)
        place = session.exec(select(Place).where(Place.name == "Röntgen")).one()
        label_place(session, "test", place, ["talvi", "osasto"], now=since)
    fleet = Fleet(county.database, since)
    fleet.publish(OLD, *found[:7])
    for device_id in found[:7]:
        fleet.say(device_id, "ready")
    fleet.now = county.now
    for device_id in found:
        fleet.say(device_id, "ready")
    fleet.report(*found[:7], running=OLD)
    return found


def _drafts(county: County) -> None:
    """An unfinished one, a whole one, one that waits for Cora, one that she approved, and one that was published."""
    bob, now = county.person("bob"), county.now
    with county.database.write() as session:
        accounts.create_user(
            session,
            email="cora@example.org",
            name="Cora",
            language="fi",
            roles=[(Role.COORDINATOR, None)],
            now=now,
        )

    def made(name: str, copy_of: int, *ops: dict[str, Any], continues: bool = False) -> int:
        with county.database.write() as session:
            draft = service.new(session, bob, name, copy_of=copy_of, continues=continues, now=now)
            _edit(session, draft, *ops, by=bob, now=now)
            return draft.id or 0

    ice = {"do": "add", "path": "questions/ICE", "to": ICE}
    with county.database.read() as session:
        flow = questions.body_of(session.get_one(QuestionSet, 7))["flows"][0]["ask"]
    asked_of_all = _op("flows/visitor", [*flow, "ICE"])
    unfinished = made("Syksyn kysymykset", 7, ice, asked_of_all, _op("languages", ["fi", "sv", "en", "sme"]))
    with county.database.write() as session:
        draft = session.get_one(Draft, unfinished)
        _edit(session, draft, _op("questions/ICE/text/fi", "Oliko piha liukas?"), by=bob, now=now)
        _edit(session, draft, _op("thanks/en", None), by=bob, now=now)
        _edit(session, draft, _op("thanks/sv", "Tack för svaret!"), by=county.person("alice"), now=now)
    reworded = _op("questions/ICE/text/fi", "Oliko pihalla tai portailla liukasta?")
    whole = made("Terveyspalvelut, talvi", 7, ice, asked_of_all, continues=True)
    asked = made("Terveyspalvelut, kevät", 7, ice, asked_of_all, reworded)
    approved = made("Terveyspalvelut, kesä", 7, ice, asked_of_all)
    published = made("Terveyspalvelut, syksy", 7, ice, asked_of_all, continues=True)
    dropped = made("Kokeilu", 1)
    cora = county.person("cora")
    with county.database.write() as session:
        for draft_id in (asked, approved):
            approval.ask(session, bob, draft_id, now=now)
        approval.approve(session, cora, approved, session.get_one(Draft, approved).revision, now=now)
        draft = session.get_one(Draft, published)
        for model in ("button4", "button5", "touch"):
            seen.note(session, service.content_hash(draft), model, bob.actor, now=now)
        publish.publish(session, bob, published, revision=draft.revision, breaks_confirmed=True, now=now)
        service.drop(session, bob, dropped, now=now)
        versions.archive(session, bob, 9, now=now)
        versions.label(session, bob, 10, "syksy 2026", now=now)
    assert [f"/drafts/{draft}" for draft in (unfinished, whole, asked, approved, published)] == [
        UNFINISHED,
        WHOLE,
        ASKED,
        APPROVED,
        PUBLISHED,
    ]


def _rollouts(county: County, kiosks: list[str]) -> None:
    """One that is done, one that a refusal halted, one that is under way and one that is paused."""
    fleet = Fleet(county.database, county.now)
    with county.database.read() as session:
        standing = [
            place.id or 0
            for name in PLACES
            for place in session.exec(select(Place).where(Place.name == name))
        ]

    def started(places: list[int], stages: tuple[Stage, ...], rule: StopRule | None = None) -> int:
        return fleet.start(number=1, choice={"places": places}, stages=stages, rule=rule)

    started(standing[:1], AT_ONCE)
    fleet.advance()
    fleet.report(kiosks[0], running=1)
    fleet.advance(1)
    started(standing[1:3], AT_ONCE, StopRule(refused=10))
    fleet.advance()
    refuse(fleet, kiosks[1])
    fleet.advance(1)
    paused = started(standing[3:4], AT_ONCE)
    fleet.advance()
    fleet.do(rollouts.pause, paused)
    stages = (Stage("places", 1, 60), Stage("all", 0, 60))
    started(standing[4:7], stages)
    fleet.advance()
    for device_id in kiosks:
        fleet.say(device_id, "ready")
    fleet.report(*fleet.wished(1)[-1:], running=1)


def _schedules(county: County) -> None:
    browser = county.browser("alice")
    winter = {"name": "Talvikysely", "set_number": "2", "holidays": "not", "units": [county.units["clinic"]]}
    browser.post("/schedules/new", data=winter | {"first_day": "2026-03-02"})
    mornings = {"name": "Aamut", "set_number": "1", "tue": "8-12", "thu": "8-12, 14-18.30", "sun": "0-24"}
    browser.post("/schedules/new", data=winter | mornings | {"holidays": "any", "first_day": "2026-03-03"})


def _edit(session: Session, draft: Draft, *ops: dict[str, Any], by: Any, now: int) -> None:
    for op in ops:
        done = service.apply(session, by, draft.id or 0, [op], draft.revision, now=now)
        assert done.conflicts == [], json.dumps(op)


def _op(path: str, to: Any) -> dict[str, Any]:
    return {"do": "set", "path": path, "to": to}
