"""What really happened, and what may be missing in the end: the model that a simulated life is checked against.

It knows keys and times, neither firmware nor database. Invariant: an answer is excused only for what destroyed its last
copy, at the moment at which that happened; whatever else is missing is a fault.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Id = tuple[
    str, int, int, int
]  # device, epoch, seq, CRC: two flashes under one name may fill a key differently
FORGOTTEN = "only a database that was put back still had it"
LAST_LINES = 60  # of the history that a failure prints; `--trace` prints all


class Broken(AssertionError):
    """A promise that was not kept."""


class Writing(NamedTuple):
    """A record as a kiosk wrote it, or began to. `at_ms`: the true time; `kiosk`: which flash."""

    kiosk: str
    kind: int
    boot: int
    at_ms: int
    raw: bytes


class History:
    """`now_ms()`: the true time, UTC ms."""

    def __init__(self, now_ms: Callable[[], int], trace: Callable[[str], None] | None = None) -> None:
        self.now_ms = now_ms
        self._trace = trace
        self._lines: deque[tuple[int, str, tuple[Any, ...]]] = deque(maxlen=LAST_LINES)
        self.faults: Counter[str] = Counter()  # what was injected, how often
        self.outcomes: Counter[str] = Counter()  # what became of thanked answers
        self.written: dict[Id, Writing] = {}
        self.thanked: dict[Id, Writing] = {}
        self.excused: dict[Id, str] = {}  # thanked, and its last copy was destroyed: why
        self.restores = 0
        self.restored: dict[Id, int] = {}  # forgotten by the n-th restore of a backup
        self.told_after: dict[int, int] = {}  # nonces of receipts: how many restores there had been
        self.shared: set[tuple[str, int]] = set()  # epochs in which two flashes, or one that went back, go on
        self.misled: set[tuple[str, int, int]] = (
            set()
        )  # clock runs with a false clock record: the server's was false
        self.wrong_nonces: set[int] = set()  # of receipts that told a false time
        self.disordered: set[str] = (
            set()
        )  # devices whose epochs overlap in time: a flash was changed for another
        self.flipped: set[str] = set()  # devices of which a bit of flash turned over
        self.stays: dict[str, list[list[int | None]]] = {}  # device: [from, to or None, place]

    def say(self, text: str, *values: Any) -> None:
        """A line of the history; put together only when somebody reads it."""
        if self._trace is not None:
            self._trace(self._line((self.now_ms(), text, values)))
        else:
            self._lines.append((self.now_ms(), text, values))

    def last_lines(self) -> list[str]:
        """The end of the history."""
        return [self._line(entry) for entry in self._lines]

    @staticmethod
    def _line(entry: tuple[int, str, tuple[Any, ...]]) -> str:
        at, text, values = entry
        return f"{History.when(at)}  {text % values}"

    @staticmethod
    def when(at_ms: int) -> str:
        """The time since the beginning."""
        day, rest = divmod(at_ms - START_MS, 86_400_000)
        minutes, ms = divmod(rest, 60_000)
        return f"day {day} {minutes // 60:02}:{minutes % 60:02}:{ms / 1000:06.3f}"

    def inject(self, fault: str, text: str, *values: Any) -> None:
        """Count a fault and say so."""
        self.faults[fault] += 1
        self.say(f"! {fault}: {text}", *values)

    def wrote(self, device: str, epoch: int, seq: int, writing: Writing) -> Id:
        """A record that is in flash, or may be. Returns its id."""
        key = (device, epoch, seq, crc_of(writing.raw))
        self.written[key] = writing
        return key

    def thank(self, key: Id) -> None:
        """The kiosk said thank you for this answer."""
        self.thanked[key] = self.written[key]

    def destroyed(self, copies: Iterable[Id], booked: Iterable[Id] | dict[Id, str], why: str) -> None:
        """These copies in flash are no more; what was booked nowhere by then may be missing."""
        for key in copies:
            if key in self.thanked and key not in booked:
                self.excused[key] = why

    def put_back(self, forgotten: Iterable[Id], held: set[Id]) -> None:
        """A backup was restored; of what it forgot only what lies in a flash can come again."""
        for key in forgotten:
            self.restored[key] = self.restores
            if key in self.thanked and key not in held:
                self.excused[key] = FORGOTTEN

    def erases(self, key: Id, told: int) -> None:
        """A kiosk erases a booked record. `told`: how many restores there had been by its last receipt."""
        if key in self.thanked and told < self.restored.get(key, 0):
            self.excused[key] = FORGOTTEN

    def place_at(self, device: str, at_ms: int) -> int | None:
        """Where the device truly stood."""
        for start, stop, place in self.stays[device]:
            if start is not None and start <= at_ms and (stop is None or at_ms < stop):
                return place
        return None


START_MS = 1_772_438_400_000  # Monday 2026-03-02 10:00 in Finland


def crc_of(raw: bytes) -> int:
    """The CRC of a record as written (padded)."""
    length = raw[0] | raw[1] << 8
    return int.from_bytes(raw[length : length + 4], "little")
