"""What every chip of the ESP32 family does alike: identity, flash, clock, restart. Knows no pin and no network."""

import json
import os
import time

import esp32
import machine

_BLOB_BYTES = 1024
# Seconds from 1970 to 2000, where this port's clock begins.
_EPOCH_2000 = 946_684_800


def blob(key: str) -> dict:
    """A JSON blob of NVS namespace `hymio`; {} when it was never written."""
    buf = bytearray(_BLOB_BYTES)
    try:
        length = esp32.NVS("hymio").get_blob(key, buf)
    except OSError:
        return {}
    found: dict = json.loads(bytes(buf[:length]))
    return found


def shape(model: str) -> tuple[int, str]:
    """(faces, screen) of a model by its name: 0 faces where there are no buttons; "none", "paper" or "touch"."""
    faces = int(model[-1]) if model[-1].isdigit() else 0
    return faces, "none" if model.startswith("card") else "paper" if faces else "touch"


def slot() -> str:
    """The half of the flash that this firmware runs from: "a" or "b"."""
    # The stubs know labels only; RUNNING is a number.
    running = esp32.Partition(esp32.Partition.RUNNING)  # type: ignore[arg-type]
    return "b" if running.info()[4] == "ota_1" else "a"


def journal_partition() -> esp32.Partition:
    found: list[esp32.Partition] = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")
    if not found:
        raise RuntimeError("no partition 'journal': flash the kiosk's partition table")
    return found[0]


def random(size: int) -> bytes:
    return os.urandom(size)


def reset_cause() -> int:
    """The contract's numbers are this port's: 1 power on, 2 hard, 3 watchdog, 4 deep sleep, 5 soft."""
    return machine.reset_cause()


def watchdog(timeout_ms: int) -> machine.WDT:
    return machine.WDT(timeout=timeout_ms)


def reset() -> None:
    machine.reset()


def log(line: str) -> None:
    print(line)


def raise_clock(utc_ms: int) -> None:
    """Set the chip's clock when it is behind: certificates are checked against it, and it starts in 2000."""
    seconds = utc_ms // 1000 - _EPOCH_2000
    if time.time() < seconds:
        year, month, day, hour, minute, second, weekday, _ = time.gmtime(seconds)
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
