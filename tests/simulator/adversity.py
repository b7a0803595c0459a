"""What befalls kiosks, network and server in one simulated life: chosen by the seed, counted by the history.

It breaks things and says to the history what that destroys; it judges nothing. Each seed has a temper of its own: some
kinds of adversity not at all, others often.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

from kiosk import record
from kiosk.journal import Journal

from tests.firmware.nor import Nor, pattern
from tests.simulator.history import Broken
from tests.simulator.kiosk import Kiosk, all_held
from tests.simulator.server import PLACES

if TYPE_CHECKING:
    from tests.simulator.life import Life

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
DAYS = 7
_SIZES = (512, 1024, 4096)  # of flash sectors: small ones go round the ring in a week
_UNKNOWN_VERSION = 2


class Adversity:
    """`begin` lays out a life's faults on the loop; `end` takes back what can be taken back."""

    def __init__(self, life: "Life") -> None:
        self._life = life
        self._chance: random.Random = life.chance
        self._history = life.history
        self._handles: list[asyncio.TimerHandle] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._twins = count(1)

    def begin(self) -> None:
        """Draw this life's temper and schedule everything."""
        chance = self._chance
        kinds: list[tuple[float, int, Callable[[], None]]] = [  # (share of seeds, most of it in a week, what)
            (0.9, 40, self._burn),
            (0.8, 8, self._unplug),
            (0.7, 4, self._restart_broker),
            (0.7, 8, self._fail_database),
            (0.6, 4, self._kill_after_commit),
            (0.6, 3, self._stop_server),
            (0.4, 2, self._restore_anew),
            (0.4, 2, self._restore_silently),
            (0.3, 2, self._mislead),
            (0.4, 3, self._flip),
            (0.3, 1, self._roll_back),
            (0.3, 1, self._clone),
            (0.3, 2, self._swap),
            (0.3, 3, self._harvest),
            (0.3, 2, self._speak_the_future),
            (0.3, 3, self._replay),
            (0.5, 4, self._move),
            (0.2, 2, self._revoke),
        ]
        for share, most, what in kinds:
            certain = what.__name__ == f"_{self._life.certain}"
            for _ in range(chance.randint(1, most) if chance.random() < share or certain else 0):
                self._later(chance.uniform(0, DAYS * DAY_S), what)
        for day in range(DAYS):
            self._later(day * DAY_S + chance.uniform(0, DAY_S), self._life.server.back_up)
        roughness = chance.random()
        for kiosk in self._life.kiosks:
            self.expose(kiosk, roughness)

    def expose(self, kiosk: Kiosk, roughness: float) -> None:
        """Let weather come over a kiosk's network."""
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._weather(kiosk, roughness)))

    def end(self) -> None:
        """From here on all heals."""
        for each in (*self._handles, *self._tasks):
            each.cancel()
        life = self._life
        life.server.error_ms = 0
        life.broker.start()
        life.server.start()
        for device in self._history.stays:
            life.server.revoke(device, False)
        for kiosk in life.kiosks:
            kiosk.version = 1
            kiosk.weather.fine()

    def _later(self, seconds: float, what: Callable[..., None], *values: Any) -> None:
        self._handles.append(asyncio.get_running_loop().call_later(seconds, what, *values))

    def _a_kiosk(self) -> Kiosk:
        return self._chance.choice(self._life.kiosks)

    def _some_time(self, least_s: float, most_s: float) -> float:
        """As likely minutes as hours."""
        return float(least_s * (most_s / least_s) ** self._chance.random())

    async def _weather(self, kiosk: Kiosk, roughness: float) -> None:
        chance = self._chance
        while True:
            kind = chance.random()
            if kind < 0.4:
                kiosk.weather.fine(0.01, 0.01, 0.01)
                await asyncio.sleep(self._some_time(HOUR_S, DAY_S))
            elif kind < 0.4 + 0.4 * roughness:
                kiosk.weather.fine(*(0.4 * chance.random() for _ in range(3)))
                await asyncio.sleep(self._some_time(HOUR_S / 2, DAY_S / 2))
            else:
                self._history.inject("networks down", kiosk.name)
                kiosk.weather.down()
                self._life.broker.cut(kiosk)
                await asyncio.sleep(self._some_time(60, 3 * DAY_S if chance.random() < 0.1 else DAY_S))

    async def _seldom_connected(self, kiosk: Kiosk) -> None:
        """Twins that are both connected put each other out for ever; half an hour of that shows all there is."""
        while True:
            kiosk.weather.down()
            self._life.broker.cut(kiosk)
            await asyncio.sleep(self._some_time(HOUR_S, DAY_S))
            kiosk.weather.fine(*(0.2 * self._chance.random() for _ in range(3)))
            await asyncio.sleep(self._some_time(60, HOUR_S / 2))

    # Kiosks

    def _burn(self) -> None:
        kiosk = self._a_kiosk()
        if kiosk.is_on and kiosk.flash.fuse is None:
            kiosk.flash.fuse = self._chance.randrange(8)

    def _unplug(self) -> None:
        kiosk = self._a_kiosk()
        if kiosk.is_on:
            self._history.inject("kiosks unplugged", kiosk.name)
            kiosk.off("unplugged")
            kiosk.on_in(self._some_time(1, 1.5 * DAY_S))

    def _flip(self) -> None:
        kiosk = self._a_kiosk()
        before = kiosk.held()
        where = kiosk.flash.flip()
        self._history.inject("bits of flash turned over", "%s %r", kiosk.name, where)
        self._history.flipped.add(kiosk.device)
        self._destroyed(before - kiosk.held(), "a bit turned over")

    def _roll_back(self) -> None:
        """Keep the flash as it is now; put it back later."""
        kiosk = self._a_kiosk()
        sectors = list(kiosk.flash.sectors)
        self._later(self._some_time(HOUR_S, 3 * DAY_S), self._put_back, kiosk, sectors)

    def _put_back(self, kiosk: Kiosk, sectors: list[bytes]) -> None:
        was_on = kiosk.is_on
        kiosk.off("its flash is put back to before")
        self._history.inject("flashes put back to before", kiosk.name)
        before = kiosk.held()
        self._share(kiosk, sectors)
        kiosk.flash.sectors = list(sectors)
        self._destroyed(before - kiosk.held(), "the flash was put back to before")
        if was_on:
            kiosk.on_in(10)

    def _clone(self) -> None:
        kiosk = self._a_kiosk()
        self._history.inject("flashes cloned", kiosk.name)
        self._share(kiosk, kiosk.flash.sectors)
        twin = self._life.add_kiosk(
            f"{kiosk.name}-twin{next(self._twins)}", kiosk.device, kiosk.flash.sectors
        )
        twin.flash.flips = kiosk.flash.flips
        self._life.visitors(twin, 10, DAYS)
        self._tasks.append(asyncio.get_running_loop().create_task(self._seldom_connected(twin)))
        twin.on()

    def _share(self, kiosk: Kiosk, sectors: Iterable[bytes]) -> None:
        """From here on two lives of this flash write under the same keys."""
        journal = Journal(Nor(sectors), self._chance.randbytes)
        self._history.shared.add((kiosk.device, journal.epoch))
        self._history.disordered.add(kiosk.device)

    def _swap(self) -> None:
        """Another flash for a while, then the old one again: its epoch is lost, and found."""
        kiosk = self._a_kiosk()
        if not kiosk.is_on:
            return
        self._history.inject("flashes changed, and changed back", kiosk.name)
        self._history.disordered.add(kiosk.device)
        kiosk.off("its flash goes into a drawer")
        other = self._life.add_kiosk(
            f"{kiosk.name}-spare{next(self._twins)}", kiosk.device, new_flash(self._chance)
        )
        self._life.visitors(other, 20, DAYS)
        self.expose(other, 0.3)
        other.on()
        self._later(self._some_time(HOUR_S, 2 * DAY_S), self._swap_back, kiosk, other)

    def _swap_back(self, kiosk: Kiosk, other: Kiosk) -> None:
        other.off("the old flash is back")
        other.stay_off()
        kiosk.on_in(60)

    def _destroyed(self, copies: set[Any], why: str) -> None:
        """Some copies are gone; what still lies in another flash is not."""
        self._history.destroyed(copies - all_held(self._life.kiosks), self._life.server.known(), why)

    def _speak_the_future(self) -> None:
        kiosk = self._a_kiosk()
        self._history.inject("times with a version that the server does not know", kiosk.name)
        kiosk.version = _UNKNOWN_VERSION
        self._later(self._some_time(HOUR_S, DAY_S), setattr, kiosk, "version", 1)

    # Server and broker

    def _restart_broker(self) -> None:
        self._history.inject("broker restarts", "")
        self._life.broker.stop()
        self._later(self._some_time(1, HOUR_S), self._life.broker.start)

    def _fail_database(self) -> None:
        self._life.server.fail_at_statement(self._chance.randint(1, 30))

    def _kill_after_commit(self) -> None:
        self._life.server.die_at_next_sending()

    def _stop_server(self) -> None:
        self._history.inject("server away", "")
        self._life.server.stop()
        self._later(self._some_time(10, DAY_S / 3), self._life.server.start)

    def _restore_anew(self) -> None:
        self._life.server.restore(all_held(self._life.kiosks), anew=True)

    def _restore_silently(self) -> None:
        self._life.server.restore(all_held(self._life.kiosks), anew=False)

    def _mislead(self) -> None:
        """The server's clock is wrong by seconds or by years."""
        error = self._chance.choice((-1, 1)) * int(self._some_time(2_000, 1e11))
        self._history.inject("jumps of the server's clock", "by %d ms", error)
        self._life.server.error_ms = error
        self._later(self._some_time(600, DAY_S / 2), setattr, self._life.server, "error_ms", 0)

    def _harvest(self) -> None:
        kiosk = self._a_kiosk()
        self._history.inject("harvests over USB", kiosk.name)
        self._life.server.harvest(kiosk.device, batches_of(kiosk.flash.sectors, self._chance))

    def _replay(self) -> None:
        self._history.inject("replays of the quarantine", "%d things", self._life.server.replay_quarantine())

    def _revoke(self) -> None:
        device = self._a_kiosk().device
        self._history.inject("devices revoked for a while", device)
        self._life.server.revoke(device, True)
        self._later(self._some_time(HOUR_S, DAY_S), self._life.server.revoke, device, False)

    def _move(self) -> None:
        """To another place, or to none; now and then written down hours later."""
        device, now = self._a_kiosk().device, self._history.now_ms()
        stays = self._history.stays[device]
        at = now - int(self._some_time(1, 1000 * HOUR_S * 12)) if self._chance.random() < 0.5 else now
        last = stays[-1]
        if last[0] is None or at <= max(last[0], last[1] or 0):
            return
        self._history.inject("moves to another place", "%s at %d", device, at)
        if last[1] is None:
            last[1] = at
        if self._chance.random() < 0.8:
            stays.append([at, None, self._chance.choice(PLACES)])
        self._life.server.write_down_stays(device, at)


def new_flash(chance: random.Random) -> list[bytes]:
    """A flash of some size; now and then one that was not erased in the factory."""
    content = chance.choice(("blank", "blank", "blank", "zeros", "noise", "text"))
    return pattern(content, chance.randint(4, 10), chance.choice(_SIZES), chance.randrange(1 << 20))


def batches_of(sectors: Iterable[bytes], chance: random.Random) -> list[bytes]:
    """All that a flash holds and does not mark as booked, in batches: what a technician's tool reads out."""
    journal = Journal(Nor(sectors), chance.randbytes)
    batches = []
    for _ in range(10_000):
        buffer = bytearray(4096)
        epoch, start, to, number, end = journal.read_into(
            buffer, record.BATCH_RECORDS_AT, 4096 - record.BATCH_OVERHEAD_BYTES
        )
        if start == to:
            return batches
        next_seq, pressed = next(entry[2:] for entry in journal.epochs() if entry[0] == epoch)
        size = record.seal_batch(
            buffer,
            end,
            number,
            epoch,
            chance.getrandbits(32),
            start,
            to,
            next_seq,
            pressed,
            journal.waiting,
            0,
            0,
        )
        batches.append(bytes(buffer[:size]))
        journal.release(epoch, to)
    raise Broken("reading out a flash never comes to an end")
