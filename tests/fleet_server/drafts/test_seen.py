"""Who looked at which content on which model: a look counts for exactly this content, a walk is no look."""

from fleet_server.db import Database
from fleet_server.drafts.seen import note, previews, seen, unseen

HASH, OTHER = "a" * 64, "b" * 64


def test_a_look_counts_for_exactly_this_content_and_model(database: Database) -> None:
    with database.write() as session:
        assert not seen(session, HASH, ["touch"])
        assert seen(session, HASH, [])
        note(session, HASH, "touch", "anna@example.org", now=1)
        assert seen(session, HASH, ["touch"])
        assert not seen(session, OTHER, ["touch"])
        assert unseen(session, HASH, ["touch", "button5"]) == ["button5"]


def test_a_walk_is_no_look(database: Database) -> None:
    with database.write() as session:
        note(session, HASH, "touch", "anna@example.org", walked=True, now=1)
        assert not seen(session, HASH, ["touch"])


def test_said_twice_is_kept_once_for_each_person(database: Database) -> None:
    with database.write() as session:
        for by in ("anna@example.org", "anna@example.org", "ben@example.org"):
            note(session, HASH, "touch", by, now=1)
        assert [row.by for row in previews(session, HASH)] == ["anna@example.org", "ben@example.org"]
