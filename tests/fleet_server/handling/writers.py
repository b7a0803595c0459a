"""Visitors of the county who write: through `book` and `release`, as every text that is ever shown."""

from kiosk import record

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.instants import MINUTE_MS
from fleet_server.results import release
from tests.conftest import MONDAY_10
from tests.firmware.whole import encode
from tests.fleet_server.pages.world import World

SET, QUESTION = 9, 1  # a ready set that asks for an open text
FIRST = MONDAY_10 - 120 * MINUTE_MS


def write(world: World, key: str, *texts: str) -> None:
    """One visitor each, two minutes apart; then half an hour goes by."""
    kiosk = world.kiosks[key]
    if not kiosk.records:
        kiosk.learn_time(FIRST)
    for text in texts:
        kiosk.pressed += 1
        seq = len(kiosk.records)
        at = (FIRST + 2 * MINUTE_MS * seq - kiosk.switched_on_at) // 100
        kiosk.records.append(
            encode(
                kiosk.epoch,
                record.KIND_ANSWER,
                0,
                seq,
                kiosk.boot,
                at,
                SET,
                0,
                QUESTION,
                0,
                0,
                kiosk.pressed,
                text.encode(),
            )  # fmt: skip
        )
    kiosk.send(world.now)
    world.now += 30 * MINUTE_MS
    with world.database.write() as session:
        release.step(session, k=5, now=world.now)


def coordinator(world: World) -> str:
    """Cora, who coordinates the whole county; her e-mail address."""
    with world.database.write() as session:
        accounts.create_user(
            session, email="cora@example.org", name="Cora", language="en",
            roles=[(Role.COORDINATOR, None)], now=world.now,
        )  # fmt: skip
    return "cora@example.org"
