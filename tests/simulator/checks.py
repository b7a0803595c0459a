"""The promises, held against a server and its kiosks: at a quiet moment, and when everything has healed.

Each function raises Broken with the key that is wrong. Nothing here asks the firmware or the server what should be so.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kiosk import record
from sqlmodel import select

from fleet_server.answers import books, check
from fleet_server.answers.models import ClockRun, LedgerRange, PressCount, Record
from fleet_server.answers.rules import BURST, REPEAT
from tests.fleet_server.answers.model import grain_of
from tests.simulator.history import Broken, History, Id
from tests.simulator.kiosk import Kiosk
from tests.simulator.server import Server

FORGOTTEN_TWIN = "a twin's, forgotten by a restored server"


def at_a_quiet_moment(history: History, server: Server, kiosks: Sequence[Kiosk]) -> None:
    """Every thanked answer is booked, or will still be sent; the server's own numbers agree."""
    known = server.known()
    _nothing_invented(history, known)
    missing = _unaccounted(history, known)
    if missing:
        missing -= {key for kiosk in kiosks for key in _will_be_sent(history, kiosk, missing)}
    if missing:
        raise Broken(f"thanked, and now nowhere: {_told(history, missing)}")
    with server.read() as session:
        for device in history.stays:
            if faults := check.faults(session, device):
                raise Broken(f"{device}: {faults}")
        _balanced(history, session)


def _unaccounted(history: History, known: dict[Id, str]) -> set[Id]:
    """Thanked answers that are neither booked nor destroyed.

    A twin's may be forgotten by a restored server for good: the other one has filled their keys again, or has reported
    without their epoch, so the server sees nothing missing (docs/reliability.md, "both at once").
    """
    twins = {device for device, _ in history.shared}
    return {
        key
        for key in history.thanked.keys() - known.keys() - history.excused.keys()
        if key not in history.restored or key[0] not in twins
    }


def _will_be_sent(history: History, kiosk: Kiosk, missing: set[Id]) -> set[Id]:
    """What this flash holds, and its kiosk does not take for booked, or has yet to hear that it is no more."""
    held = kiosk.held() & missing
    if not kiosk.is_on:
        return held
    cursors = {key[1]: kiosk.journal.cursor(key[1]) for key in held}
    return {
        key
        for key in held
        if (cursors[key[1]] or 0) <= key[2] or kiosk.told.get(key[1], 0) < history.restored.get(key, 0)
    }


def when_all_is_healed(history: History, server: Server, kiosks: Sequence[Kiosk]) -> None:
    """Every thanked answer is counted once, at its time and place, or is accounted for."""
    at_a_quiet_moment(history, server, kiosks)
    known = server.known()
    lost = _unaccounted(history, known)
    if lost:
        raise Broken(f"thanked and not counted: {_told(history, lost)}")
    odd = [
        key
        for key in history.thanked.keys() & known.keys()
        if known[key] != "received" and key[:2] not in history.shared
    ]
    if odd:
        raise Broken(f"thanked and only in quarantine ({known[odd[0]]}): {_told(history, odd)}")
    for key in history.thanked:
        history.outcomes[known.get(key) or history.excused.get(key, FORGOTTEN_TWIN)] += 1
    with server.read() as session:
        _all_seqs_booked(history, session)
        _times_and_places(history, session)


def _nothing_invented(history: History, known: dict[Id, str]) -> None:
    invented = known.keys() - history.written.keys()
    if invented:
        raise Broken(f"booked, and never written: {sorted(invented)[:5]}")


def _balanced(history: History, session: Any) -> None:
    for device in history.stays:
        for epoch in books.of_device(session, device):
            exempt = device in history.flipped or (device, epoch.epoch) in history.shared
            if not epoch.balanced and not exempt:
                raise Broken(f"{device}: the books do not balance: {epoch.faults}")


def _all_seqs_booked(history: History, session: Any) -> None:
    booked: Counter[tuple[str, int]] = Counter()
    for row in session.exec(select(LedgerRange)):
        booked[row.device_id, row.epoch] += row.stop - row.start
    for device in history.stays:
        for epoch in books.of_device(session, device):
            key = device, epoch.epoch
            if booked[key] != epoch.next and key not in history.shared:
                raise Broken(f"{key}: {epoch.next} seqs were heard of, {booked[key]} are booked")


def _times_and_places(history: History, session: Any) -> None:
    clocked = {
        (run.device_id, run.epoch, run.boot)
        for run in session.exec(select(ClockRun))
        if run.anchor_uptime is not None
    }
    shared, misled = history.shared, {key[0] for key in history.misled}
    counted: Counter[tuple[int, str, str, int, bool]] = Counter()
    for row in session.exec(select(Record).where(Record.kind == record.KIND_ANSWER)):
        key = (row.device_id, row.epoch, row.seq, row.crc)
        run = (row.device_id, row.epoch, row.boot)
        when = None if row.from_at is None else (row.from_at, row.to_at)
        grain, start = grain_of(when)
        if row.filtered not in (
            None,
            REPEAT,
            BURST,
        ):  # nobody corrects an answer here, and no place has hours
            raise Broken(f"{key} is filtered: {row.filtered}")
        if row.grain != grain:
            raise Broken(f"{key} is counted by the {row.grain}, its interval {when} says {grain}")
        counted[row.place_id or 0, row.device_id, grain, start, row.filtered is None] += 1
        if run[:2] in shared or run in history.misled:
            continue  # twins share the numbers of their clock runs; a server's false clock makes false times
        if run not in clocked and (row.device_id in misled or row.device_id in history.disordered):
            continue  # its neighbours are false, or not its neighbours
        if run in clocked and when is None:
            raise Broken(f"{key} has no time although its run has met a clock")
        true_ms = history.written[key].at_ms
        if when is not None and not when[0] <= true_ms <= when[1]:
            raise Broken(
                f"{key}: pressed at {true_ms}, said to be in {when} ({'own' if run in clocked else 'no'} clock)"
            )
        if row.place_id is not None and row.place_id != history.place_at(row.device_id, true_ms):
            raise Broken(f"{key}: counted at place {row.place_id}, it was pressed elsewhere")
    kept = {
        (row.place_id, row.device_id, row.grain, row.start_at, is_counted): amount
        for row in session.exec(select(PressCount))
        for is_counted, amount in ((True, row.counted), (False, row.filtered))
        if amount
    }
    if kept != counted:
        raise Broken(f"the counts differ: {sorted(set(kept.items()) ^ set(counted.items()))[:5]}")


def _told(history: History, keys: Any) -> str:
    some = sorted(keys)[:5]
    told = [
        f"{key} by {history.written[key].kiosk} at {history.when(history.written[key].at_ms)}" for key in some
    ]
    return f"{len(keys)} answers, first: {'; '.join(told)}"
