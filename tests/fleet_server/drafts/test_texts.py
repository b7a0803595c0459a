"""Which texts of a draft are missing, and which translations their source has left behind."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from fleet_server.accounts.models import CountySetting
from fleet_server.db import Database
from fleet_server.drafts import service, undoing
from fleet_server.drafts.texts import language_faults, missing, slots, stale, text_fault
from fleet_server.questions.schema import faults_of
from fleet_server.questions.words import ready_words
from tests.conftest import MONDAY_10
from tests.fleet_server.drafts.desks import FIND_FI, FIND_SV, TEXT, edit, make_draft, set_

KEEP = {"do": "keep", "path": FIND_SV}


@pytest.fixture
def session(database: Database):
    with database.write() as session:
        yield session


def test_every_text_of_a_draft_has_one_slot_and_the_path_of_each_leads_to_it(session: Session) -> None:
    body = service.body(make_draft(session))
    keys = [slot.key for slot in slots(body)]
    assert keys[:2] == ["questions/LANG/text", "questions/LANG/labels/0"]
    assert "questions/FIND/labels/1" in keys
    assert keys[-len(ready_words()) - 1] == "thanks"
    assert len(set(keys)) == len(keys)
    for slot in slots(body):
        for language in slot.own:
            assert service.ops.at(body, slot.path(language)) == slot.texts[language]


def test_a_language_is_complete_or_its_missing_texts_are_named(session: Session) -> None:
    draft = make_draft(session)
    assert missing(service.body(draft)) == {}
    edit(session, draft, set_(FIND_SV, None), set_("questions/FIND/labels/sv/1", ""), set_("thanks/sv", None))
    found = missing(service.body(draft))
    assert {language: [slot.key for slot in lacking] for language, lacking in found.items()} == {
        "sv": ["questions/FIND/text", "questions/FIND/labels/1", "thanks"]
    }


def test_a_sami_language_lacks_everything_until_official_texts_exist(session: Session) -> None:
    body = service.body(make_draft(session))
    assert len(missing(body, ["sme"])["sme"]) == len(slots(body))


def test_publishing_is_told_of_required_languages_and_of_incomplete_ones(session: Session) -> None:
    draft = make_draft(session)
    assert language_faults(session, service.body(draft)) == []
    session.add(
        CountySetting(key="required_languages", value=json.dumps(["fi", "sme"]), at=MONDAY_10, by="alice")
    )
    edit(session, draft, set_(FIND_SV, ""))
    assert list(map(str, language_faults(session, service.body(draft)))) == [
        "Northern Sámi is missing, and the county requires it",
        "Swedish is not complete, one text is missing: FIND/text",
    ]


def test_a_translation_is_stale_once_its_source_says_something_else(session: Session) -> None:
    draft = make_draft(session)
    assert stale(session, draft) == {}
    edit(session, draft, set_(FIND_FI, "Oliko tänne helppo löytää?"))
    assert stale(session, draft) == {
        FIND_SV: TEXT["fi"],
        "questions/FIND/text/en": TEXT["fi"],
    }
    edit(session, draft, set_(FIND_SV, "Var det lätt att hitta hit?"))
    assert list(stale(session, draft)) == ["questions/FIND/text/en"]


def test_labels_thanks_and_words_are_left_behind_too(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_("questions/FIND/labels/fi/0", "Oli"))
    edit(session, draft, set_("thanks/fi", "Kiitos!"))
    edit(session, draft, set_("words/skip/fi", "En vastaa"))
    found = stale(session, draft)
    assert found["questions/FIND/labels/sv/0"] == "Kyllä"
    assert found["thanks/en"] == "Kiitos palautteestasi!"
    assert found["words/skip/sv"] == "Ohita"
    assert len(found) == 6
    edit(session, draft, set_("words/skip/fi", None), set_("thanks/fi", "Kiitos palautteestasi!"))
    assert list(stale(session, draft)) == ["questions/FIND/labels/sv/0", "questions/FIND/labels/en/0"]


def test_a_source_that_went_back_to_what_it_said_leaves_nothing_behind(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_(FIND_FI, "Toinen"))
    edit(session, draft, set_(FIND_FI, TEXT["fi"]))
    assert stale(session, draft) == {}


def test_still_right_is_an_edit_that_can_be_taken_back_and_done_again(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_(FIND_FI, "Toinen"))
    edit(session, draft, KEEP)
    revision = draft.revision
    assert FIND_SV not in stale(session, draft)
    undoing.undo(session, "bob", draft.id, now=MONDAY_10)
    assert draft.revision == revision + 1
    assert stale(session, draft)[FIND_SV] == TEXT["fi"]
    undoing.redo(session, "bob", draft.id, now=MONDAY_10)
    assert FIND_SV not in stale(session, draft)
    edit(session, draft, set_(FIND_FI, "Kolmas"))
    assert stale(session, draft)[FIND_SV] == "Toinen"


def test_taking_a_translation_back_makes_it_stale_again(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_(FIND_FI, "Toinen"))
    edit(session, draft, set_(FIND_SV, "En annan"), by="charlie")
    undoing.undo(session, "charlie", draft.id, now=MONDAY_10)
    assert stale(session, draft)[FIND_SV] == TEXT["fi"]


def test_a_question_that_is_removed_and_comes_back_is_as_stale_as_it_was(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_(FIND_FI, "Toinen"))
    edit(session, draft, {"do": "remove", "path": "questions/FIND"})
    assert stale(session, draft) == {}
    undoing.undo(session, "bob", draft.id, now=MONDAY_10)
    assert stale(session, draft)[FIND_SV] == TEXT["fi"]


def test_national_texts_are_neither_stale_nor_kept(session: Session) -> None:
    draft = make_draft(session)
    with pytest.raises(service.Refused, match="LANG"):
        edit(session, draft, {"do": "keep", "path": "questions/LANG/text/sv"})
    with pytest.raises(service.Refused, match="nonsense"):
        edit(session, draft, {"do": "keep", "path": "nonsense/sv"})


def test_a_word_said_otherwise_in_one_language_keeps_its_ready_text_in_the_others(session: Session) -> None:
    draft = make_draft(session)
    edit(session, draft, set_("words/skip/fi", "En vastaa"))
    body = service.body(draft)
    assert faults_of(body | {"number": 77}) == []
    word = next(slot for slot in slots(body) if slot.key == "words/skip")
    assert (word.texts["fi"], word.texts["sv"], word.own) == ("En vastaa", "Hoppa över", {"fi"})


def test_what_cannot_be_said_is_named(session: Session) -> None:
    by_key = {slot.key: slot for slot in slots(service.body(make_draft(session)))}
    label, countdown = by_key["questions/FIND/labels/0"], by_key["words/countdown"]
    assert text_fault(label, "x" * 60) is None
    assert str(text_fault(label, "x" * 61)) == "it has 61 characters, at most 60 fit"
    assert text_fault(label, "rivi\nja 🙂 ja ta\u00advu") is None
    assert "'\\x07'" in str(text_fault(label, "a\x07"))
    assert text_fault(countdown, "Slutar om %d s") is None
    assert "%d once" in str(text_fault(countdown, "Slutar om 5 %"))


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["source", "translate", "keep", "remove", "undo", "redo"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["bob", "charlie"]),
    ),
    max_size=14,
)


@settings(max_examples=30, deadline=None)
@given(EDITS)
def test_stale_is_what_a_reader_of_all_edits_would_say(empty_database_file, tmp_path_factory, edits) -> None:
    """Against a model that plays every edit forward: what each translation was made for, restored by each undo."""
    import shutil

    path = tmp_path_factory.mktemp("stale") / "one.db"
    shutil.copy(empty_database_file, path)
    database = Database(f"sqlite:///{path}")
    try:
        with database.write() as session:
            draft = make_draft(session)
            made_for: dict[int, str | None] = {0: None, draft.revision: TEXT["fi"]}  # by revision
            for what, text, by in edits:
                before = draft.revision
                there = any(q["code"] == "FIND" for q in service.body(draft)["questions"])
                if what in ("undo", "redo"):
                    getattr(undoing, what)(session, by, draft.id, now=MONDAY_10)
                elif there:
                    op = {
                        "source": set_(FIND_FI, f"fi {text}"),
                        "translate": set_(FIND_SV, f"sv {text}"),
                        "keep": KEEP,
                        "remove": {"do": "remove", "path": "questions/FIND"},
                    }[what]
                    edit(session, draft, op, by=by)
                if draft.revision == before:
                    continue
                newest = service.edits(session, draft.id, since=before)[0]
                body = service.body(draft)
                source = service.ops.at(body, FIND_FI)
                done = [op for op in json.loads(newest.op) if op["path"] in (FIND_SV, "questions/FIND")]
                made_for[draft.revision] = made_for[before]
                if done and newest.undoes is not None:
                    made_for[draft.revision] = made_for[newest.undoes - 1]
                elif done:
                    made_for[draft.revision] = source
            body = service.body(draft)
            now, right = service.ops.at(body, FIND_FI), made_for[draft.revision]
            expected = right if now is not None and right is not None and right != now else None
            assert stale(session, draft).get(FIND_SV) == expected
    finally:
        database.close()
