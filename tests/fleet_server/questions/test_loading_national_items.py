"""National items from a file: a changed one is a new version; a bad file, or the same one again, changes nothing."""

import copy
import json
from importlib.resources import files
from typing import Any

import pytest
from sqlmodel import col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.db import Database
from fleet_server.questions import items, service
from fleet_server.questions.loading import LoadRefused, load
from fleet_server.questions.models import NationalItem, QuestionSet
from tests.conftest import MONDAY_10


@pytest.fixture
def file() -> dict[str, Any]:
    """The file that the program comes with."""
    return json.loads(files("fleet_server.questions").joinpath("data", "items.json").read_text("utf-8"))


def _load(database: Database, file: Any) -> Any:
    data = file if isinstance(file, bytes) else json.dumps(file)
    with database.write() as session:
        return load(session, data, source="thl.json", now=MONDAY_10)


def test_the_programs_own_file_says_nothing_new(database: Database, file: dict[str, Any]) -> None:
    done = _load(database, file)
    assert (done.new, done.changed) == ({}, {})
    assert done.same == [item["code"] for item in file["items"]]
    with database.read() as session:
        assert session.exec(select(NationalItem)).all() == []


def test_a_changed_item_gets_the_next_version_and_old_sets_keep_theirs(
    database: Database, file: dict[str, Any]
) -> None:
    with database.write() as session:
        service.add_national(session, now=MONDAY_10)
        before = {row.number: row.hash for row in session.exec(select(QuestionSet))}
    official = copy.deepcopy(file)
    item = next(one for one in official["items"] if one["code"] == "K1")
    item["text"]["fi"] = {"text": "Sain apua ajoissa", "status": "verbatim", "source": "THL 2027"}
    official["items"].append(item | {"code": "K8", "theme": "uusi"})

    done = _load(database, official)
    assert (done.new, done.changed) == ({"K8": 1}, {"K1": 2})
    again = _load(database, official)
    assert (again.new, again.changed) == ({}, {})

    with database.read() as session:
        newest = items.newest(session)
        assert (newest["K1"]["version"], newest["K1"]["text"]["fi"]["text"]) == (2, "Sain apua ajoissa")
        assert newest["K2"]["version"] == 1
        assert list(newest)[-1] == "K8"
        assert {row.number: row.hash for row in session.exec(select(QuestionSet))} == before
        (entry,) = session.exec(select(AuditEntry).where(col(AuditEntry.action) == "load national items"))
        assert json.loads(entry.after or "") == {"file": "thl.json", "items": {"K1": 2, "K8": 1}}

    back = _load(database, file)
    assert back.changed == {"K1": 3}, "the old wording again is a version of its own"


def test_every_fault_is_listed_and_nothing_is_loaded(database: Database, file: dict[str, Any]) -> None:
    bad = copy.deepcopy(file)
    by_code = {item["code"]: item for item in bad["items"]}
    by_code["K2"]["text"]["fi"]["text"] = "Hyvä ja uusi sanamuoto"  # this one alone could be loaded
    by_code["K1"]["labels"]["sv"].pop()
    by_code["NPS"]["text"]["en"]["status"] = "official"
    by_code["NPS"]["wieght"] = 3
    by_code["OPEN"]["type"] = "essay"
    by_code["PEI-H"]["text"]["xx"] = by_code["PEI-H"]["text"]["fi"]
    bad["items"].append(by_code["KTI"])
    with pytest.raises(LoadRefused) as refused:
        _load(database, bad)
    assert refused.value.faults == [
        "item NPS: 'wieght' is unknown",
        "item NPS: status in en is 'official', must be one of verbatim, reconstructed, own",
        "item K1: has 4 labels in sv, agree5 needs 5",
        "item K1: has not as many labels in each language",
        "item PEI-H: language 'xx' is unknown, must be one of fi, sv, en, sme, smn, sms",
        "item PEI-H: labels are in ['en', 'fi', 'sv'], must be in the languages of the text: fi, sv, en, xx",
        "item OPEN: type is 'essay', must be one of nps, agree5, pei, smiley5, smiley4, choice, text",
        "item 27: code 'KTI' stands twice",
    ]
    with database.read() as session:
        assert session.exec(select(NationalItem)).all() == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b'{"items": [], "about": "\\ud800"}', "no JSON"),
        (b"[]", "a list `items`"),
        (b'{"items": 7}', "a list `items`"),
        (b'{"items": []}', "has 0 items"),
        (b'{"items": [null, {"code": 7}, {"code": "A", "type": "text"}]}', "item A: text is None"),
        (b'{"items": [{"code": "A", "type": "text", "text": {"fi": "x"}}]}', "must have exactly text, status, source"),
        (b'{"items": [{"code": "A", "type": [], "text": {"fi": {"text": 1, "status": {}, "source": ""}}}]}', "type is"),
        (b'{"items": [{"code": "A", "type": "nps", "text": {"fi": {}}, "labels": {"fi": 3}}]}', "0 labels in fi"),
        (b'{"items": [{"code": "A", "type": "pei", "text": 3, "labels": [], "sector": []}]}', "sector is"),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused_with_a_reason(
    database: Database, data: bytes, why: str
) -> None:
    with pytest.raises(LoadRefused, match=why):
        _load(database, data)
