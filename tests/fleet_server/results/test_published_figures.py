"""What Pirkanmaa published for 2023, answered anew: 16 000 visitors at kiosks, and their figures on the pages.

NPS 71 of 16 000; about 80 % "fully agree"; PEI 10 634 answers, 14 % "can't say", 25 in social services; 33 % wrote.
Where only rounded figures were published the shares are those of the demonstration.
"""

import re
from collections.abc import Iterator

import pytest

from fleet_server.accounts import county
from fleet_server.answers import wire
from fleet_server.answers.book import Message, book_all
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.results import release
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World

HEALTH, SOCIAL = 7, 8  # the ready touch sets
NPS, K1, PEI, OPEN = 0, 1, 8, 10  # their questions
VISITORS = 16_000
NPS_COUNTS = (592, 128, 112, 128, 80, 320, 160, 480, 1_120, 2_320, 10_560)
K1_COUNTS = {5: 1_600, 4: 200, 3: 60, 2: 40, 1: 100}
PEI_COUNTS = {wire.NO_VALUE: 1_489, 2: 2_552, 1: 3_190, 0: 3_403}
SOCIAL_COUNTS = {wire.NO_VALUE: 5, 2: 6, 1: 7, 0: 7}
WROTE = VISITORS * 33 // 100
_HALF_A_YEAR_MS = 180 * DAY_MS
_EPOCH = 0x2023


def spread(counts: dict[int, int], question: int) -> Iterator[tuple[int, int, bytes]]:
    """(question, value, text) of so many visitors, their values mixed the same way each time."""
    values = [value for value, count in counts.items() for _ in range(count)]
    return ((question, values[at * 7_919 % len(values)], b"") for at in range(len(values)))


def visits() -> Iterator[list[tuple[int, int, bytes]]]:
    asked = [
        spread(dict(enumerate(NPS_COUNTS)), NPS),
        spread(K1_COUNTS, K1),
        spread(PEI_COUNTS, PEI),
        ((OPEN, 0, f"Kiitos {number}".encode()) for number in range(WROTE)),
    ]
    for _ in range(VISITORS):
        yield [answer for answers in asked if (answer := next(answers, None)) is not None]


def booked(
    world: World, key: str, set_number: int, all_visits: Iterator[list[tuple[int, int, bytes]]], n: int
) -> None:
    device = world.kiosks[key].id
    clock = wire.clock_bytes(MONDAY_10, 0)
    records = [wire.record_bytes(wire.KIND_CLOCK, epoch=_EPOCH, seq=0, uptime=0, pressed=0, body=clock)]
    batches: list[Message] = []
    pressed = first = 0

    def pack() -> None:
        stop = first + len(records)
        payload = wire.batch_bytes(
            records, epoch=_EPOCH, start=first, next_seq=stop, pressed=pressed, waiting=0
        )
        batches.append(Message(device, payload, "mqtt"))

    for number, answers in enumerate(all_visits):
        if wire.batch_size(records) > wire.MAX_BATCH_BYTES - 600:
            pack()
            first, records = first + len(records), []
        uptime = 36_000 + number * (_HALF_A_YEAR_MS // 100 // n)
        for session, (question, value, text) in enumerate(answers):
            pressed += 1
            records.append(
                wire.record_bytes(
                    wire.KIND_ANSWER, epoch=_EPOCH, seq=first + len(records), uptime=uptime + 40 * session,
                    pressed=pressed, set_number=set_number, session=session, question=question, value=value,
                    body=text,
                )
            )  # fmt: skip
    pack()
    for at in range(0, len(batches), 200):
        with world.database.write() as session:
            book_all(session, batches[at : at + 200], now=world.now)


def page(world: World, unit: str, reader: str) -> str:
    html = world.sign_in(reader).get(f"/results/units/{world.units[unit]}?span=year").text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.replace("</", " </")))


@pytest.mark.slow
def test_the_published_figures_are_on_the_pages(world: World) -> None:
    world.now = MONDAY_10 + _HALF_A_YEAR_MS + DAY_MS
    booked(world, "A", HEALTH, visits(), VISITORS)
    booked(world, "B", SOCIAL, ([answer] for answer in spread(SOCIAL_COUNTS, PEI)), 25)
    world.now += HOUR_MS
    more = True
    while more:
        with world.database.write() as session:
            more = release.step(session, k=county.rules(session).least_respondents, now=world.now).more
    health = page(world, "A", "alice@example.org")
    assert "NPS 16,000 visitors" in health
    assert "71 Net promoter score 95 % interval 70 … 72, n = 16,000" in health
    assert "Promoters (9–10): 80 % (12,880)" in health  # 80.5
    assert "Detractors (0–6): 10 % (1,520)" in health  # 9.5
    assert re.search(r"K1 2,000 visitors 90 % Positive", health)
    assert re.search(r"80 % \(1,600\)", health)
    # Of 10 634 the last four wait for a fifth.
    assert "PEI-H 10,630 visitors, 14 % of them cannot say" in health
    assert "4 answers wait until enough others have come" in health
    assert "5,280 texts" in health
    assert "33 % of 16,000 visitors wrote something" in health
    social = page(world, "B", "charlie@example.org")
    assert "PEI-S 25 visitors, 20 % of them cannot say" in social
    assert "PEI-H" not in social
