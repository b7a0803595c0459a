"""Once a week a person gets the figures of what she may read: the page's, once, and nothing when she may no more."""

import io
import re
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from pypdf import PdfReader
from sqlmodel import col, select, update

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.mails import outbox, rules
from fleet_server.mails.models import Mail, WeeklyMail
from fleet_server.mails.postman import Postman
from fleet_server.results.printing import CannotPrint, Printer
from fleet_server.settings import Settings
from tests.conftest import MONDAY_10
from tests.fleet_server.mails.post_office import Box, post_office, settings_for
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import answer, text_of

SEVEN = MONDAY_10 + 7 * DAY_MS - 3 * HOUR_MS  # the next Monday at seven


class NoPaper(Printer):
    """Prints nothing: for tests of the way of a mail."""

    def print(self, html: str) -> "Future[bytes]":
        raise CannotPrint("no paper")


@dataclass
class Office:
    """A mail server, and our settings for it."""

    box: Box
    settings: Settings
    world: World

    def look(self, now: int, printer: Printer | None = None) -> int:
        """A server that was just started looks once."""
        return Postman(self.settings, self.world.database, printer or NoPaper()).look(now)

    def rows(self) -> list[Mail]:
        with self.world.database.read() as session:
            return list(session.exec(select(Mail).order_by(col(Mail.id))))


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    """Alice has answers in her clinic; the mail server is up."""
    answer(world, "A", *[5] * 30, *[2] * 10)
    box = Box()
    with world.database.write() as session:
        rules.keep(session)
    with post_office(box) as port:
        yield Office(box, settings_for(port), world)


def subscribe(world: World, name: str = "alice", unit: str = "A", span: str = "month") -> None:
    form = {"on": f"unit-{world.units[unit]}", "span": span}
    done = world.sign_in(f"{name}@example.org").post("/results/mails", data=form)
    assert done.status_code == 303, done.text


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML as text."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return re.sub(r"\s+", " ", plain.get_content()), text_of(html.get_content())


def test_mail_pdf_and_page_show_the_same_figures_and_no_more(office: Office) -> None:
    world = office.world
    subscribe(world)
    printer = Printer()
    try:
        assert office.look(SEVEN, printer) == 1
        world.now = SEVEN
        alice = world.sign_in("alice@example.org")
        page = text_of(alice.get(f"/results/units/{world.units['A']}?span=month&until=2026-03-08").text)
        world.app.state.printer = printer
        paper = alice.get(f"/results/units/{world.units['A']}.pdf?span=month&until=2026-03-08")
        assert alice.get(f"/results/units/{world.units['B']}.pdf").status_code == 404
    finally:
        printer.stop()
    (mail,) = office.box.arrived
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == f"hymio-unit-{world.units['A']}-2026-03-08.pdf"
    figures = ["75 %", "95 % interval 60 … 86 %, n = 40"]
    shown = [*parts(mail), page]
    for pdf in (attached.get_content(), paper.content):
        read = PdfReader(io.BytesIO(pdf))
        assert read.trailer["/Root"]["/MarkInfo"]["/Marked"], "tagged, for screen readers"
        assert read.trailer["/Root"]["/Lang"] == "en"
        assert len(read.pages) == 1
        shown.append(re.sub(r"\s+", " ", read.pages[0].extract_text()))
    for text in shown:
        for figure in figures:
            assert figure in text, text
        percents = {int(one) for one in re.findall(r"(\d+) %", text)} - {95}
        assert percents <= {75, 86, 25, 0}, "no figure that the page does not have"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Content-Language"] == "en"
    html = mail.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content(), "nothing is loaded, so nobody is followed"


def test_a_person_gets_one_mail_a_week_however_often_the_server_starts(office: Office) -> None:
    world = office.world
    subscribe(world)
    with world.database.write() as session:
        accounts.create_user(
            session, email="carla@example.org", name="Carla", language="sv",
            roles=[(Role.COORDINATOR, None)], now=world.now,
        )  # fmt: skip
    for unit in ("A", "B"):
        subscribe(world, "carla", unit)
    assert office.look(SEVEN - 1) == 0
    assert office.look(SEVEN) == 2
    assert [mail["To"].addresses[0].username for mail in office.box.arrived] == ["alice", "carla"]
    assert office.look(SEVEN + MINUTE_MS) == 0
    assert office.look(SEVEN + DAY_MS) == 0
    swedish = parts(office.box.arrived[1])[0]
    assert "Hej Carla" in swedish
    assert "HÄLSOSTATION A" in swedish
    assert "HÄLSOSTATION B" in swedish
    assert office.look(SEVEN + 7 * DAY_MS) == 2
    world.now = SEVEN + 7 * DAY_MS + MINUTE_MS
    subscribe(world, "charlie", "B")
    assert office.look(SEVEN + 7 * DAY_MS + HOUR_MS) == 0, "who begins later waits for the next one"
    assert len({mail["Message-ID"] for mail in office.box.arrived}) == 4


def test_what_was_being_handed_over_when_the_server_was_killed_is_never_sent_twice(office: Office) -> None:
    world = office.world
    subscribe(world)
    office.box.to_text = "451 later"
    assert office.look(SEVEN) == 0
    (row,) = office.rows()
    assert (row.state, row.attempts, row.due_at - SEVEN) == ("waiting", 1, MINUTE_MS)
    office.box.to_text = ""
    for killed_in, then in (("claimed", "sent"), ("handed", "unsure")):
        with world.database.write() as session:
            session.exec(update(Mail).values(state=killed_in, due_at=SEVEN + outbox.LEASE_MS, ended_at=None))
        before = len(office.box.arrived)
        assert office.look(SEVEN + 2 * MINUTE_MS) == 0, "another process may still be at it"
        assert office.look(SEVEN + outbox.LEASE_MS) == (then == "sent")
        assert [row.state for row in office.rows()] == [then]
        assert len(office.box.arrived) - before == (then == "sent")
    otto = world.sign_in("otto@example.org")
    assert "perhaps arrived" in otto.get("/mails").text
    assert otto.post(f"/mails/{row.id}/again").status_code == 303
    assert world.sign_in("alice@example.org").get("/mails").status_code == 403
    with world.database.write() as session:
        session.exec(update(Mail).values(created_at=SEVEN))
    assert office.look(SEVEN + HOUR_MS) == 1


def test_a_mail_server_that_is_away_is_tried_again_later_and_a_refusal_is_the_end(office: Office) -> None:
    world = office.world
    subscribe(world)
    here, office.settings = office.settings, settings_for(1)
    at = SEVEN
    for wait in (*outbox.BACKOFF_MS, outbox.BACKOFF_MS[-1]):
        assert office.look(at) == 0
        (row,) = office.rows()
        assert (row.state, row.due_at - at) == ("waiting", wait)
        assert "refused" in row.fault
        assert office.look(at + wait - 1) == 0
        at += wait
    assert office.rows()[0].attempts == 5
    assert "tried 5 times" in world.sign_in("otto@example.org").get("/mails").text
    office.settings = here
    office.box.to_recipient["alice@example.org"] = "550 no such user"
    assert office.look(at) == 0
    assert [(row.state, row.fault) for row in office.rows()] == [("failed", "550 no such user")]
    office.box.to_recipient.clear()
    assert office.look(at + DAY_MS) == 0


def test_who_may_not_read_it_any_more_gets_nothing(office: Office) -> None:
    world = office.world
    for name, unit in (("alice", "A"), ("charlie", "B")):
        subscribe(world, name, unit)
    with world.database.write() as session:
        alice, charlie = (accounts.by_email(session, f"{name}@example.org") for name in ("alice", "charlie"))
        assert alice is not None
        assert charlie is not None
        accounts.change_user(
            session, "test", alice, email=alice.email, name=alice.name, language="en",
            roles=[(Role.SUPERVISOR, world.units["B"])], now=world.now,
        )  # fmt: skip
        accounts.disable(session, "test", charlie, now=world.now)
    assert office.look(SEVEN) == 0
    assert office.box.arrived == []
    assert [row.state for row in office.rows()] == ["dropped"]


def test_one_click_stops_it_and_a_made_up_link_nothing(office: Office) -> None:
    world = office.world
    subscribe(world)
    office.look(SEVEN)
    link = office.box.arrived[0]["List-Unsubscribe"].strip("<>").removeprefix("https://hymio.county.example")
    stranger = world.stranger()
    assert stranger.get(link).status_code == 200
    with world.database.read() as session:
        assert session.exec(select(WeeklyMail.paused_at)).one() is None, "to look is not to stop"
    assert stranger.post(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404
    assert stranger.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert office.look(SEVEN + 7 * DAY_MS) == 0
    with world.database.read() as session:
        last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
        assert last is not None
        assert (last.actor, last.action) == ("alice@example.org", "pause weekly mail")
    alice = world.sign_in("alice@example.org")
    page = alice.get("/results/mails").text
    assert "Paused" in page
    row = re.search(r"/results/mails/(\d+)/resume", page)
    assert row is not None
    assert alice.post(f"/results/mails/{row[1]}/resume").status_code == 303
    assert world.sign_in("charlie@example.org").post(f"/results/mails/{row[1]}/end").status_code == 404
    ended = alice.post(f"/results/mails/{row[1]}/end").headers["location"]
    assert "Undo" in alice.get(ended).text
    for wrong, status in (
        ({"span": "decade"}, 422),
        ({"on": "unit-999"}, 404),
        ({"on": f"unit-{world.units['B']}"}, 404),
    ):
        assert (
            alice.post(
                "/results/mails", data={"on": f"unit-{world.units['A']}", "span": "month"} | wrong
            ).status_code
            == status
        )


def test_the_county_chooses_the_time_and_summer_time_moves_it_not(office: Office) -> None:
    world = office.world
    with world.database.write() as session:
        admin = accounts.create_user(
            session,
            email="root@example.org",
            name="Root",
            language="en",
            roles=[(Role.ADMIN, None)],
            now=world.now,
        )
    assert admin.id
    root = world.sign_in("root@example.org")
    wrong: Any = root.post("/county/mails", data={"weekday": "7", "hour": "25"})
    assert wrong.status_code == 422
    assert "“25” is no hour" in wrong.text
    assert root.post("/county/mails", data={"weekday": "2", "hour": "9"}).status_code == 303
    assert world.sign_in("alice@example.org").get("/county/mails").status_code == 403
    with world.database.read() as session:
        held = rules.rule(session)
    wednesday_9 = MONDAY_10 + 2 * DAY_MS - HOUR_MS
    assert rules.due_week(held, wednesday_9 - 1) is None
    assert rules.due_week(held, wednesday_9) == ("2026-W10", wednesday_9)
    assert rules.next_at(held, wednesday_9) == wednesday_9 + 7 * DAY_MS
    spring = rules.next_at(held, MONDAY_10 + 28 * DAY_MS)  # summer time began on Sunday, 29 March
    assert spring == wednesday_9 + 28 * DAY_MS - HOUR_MS
