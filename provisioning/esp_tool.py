"""esptool as a process of its own for one port: what it says becomes progress, facts and one clear sentence.

It is never imported: esptool is GPL and prints progress for one board a process. Knows no kiosk.
"""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioning.errors import ProvisioningError
from provisioning.ports import Port

PROGRAM = (sys.executable, "-m", "esptool")
# A chip erase of 16 MB says nothing for a minute or two.
_SILENCE_S = 240.0
_PROGRESS = re.compile(r"(?:Writing at|Reading from) 0x[0-9a-f]+ .*?(\d+\.\d)%")
_FACTS = {
    "chip": re.compile(r"^Detecting chip type\.\.\. *(.+)$|^Chip type: +(ESP32(?:-[A-Z]\d?)?)\b"),
    "mac": re.compile(r"^MAC: +([0-9a-f:]{17})"),
    "flash": re.compile(r"^Detected flash size: +(\d+)MB"),
}

# (what esptool says, what a person should do, whether another try may help); the first that fits.
_FAULTS: tuple[tuple[str, str, bool], ...] = (
    ("ermission denied", "this user may not open the port; on Linux join the group dialout and sign in anew", False),
    ("could not exclusively lock", "another program has the port open; close it (a serial monitor?)", False),
    ("esource busy", "another program has the port open; close it (a serial monitor?)", False),
    ("could not open port", "the port is gone; put the cable back and run it again", True),
    ("No such file or directory", "the port is gone; put the cable back and run it again", True),
    ("Connection refused", "the port is gone; put the cable back and run it again", True),
    ("Wrong chip", "the board is of another chip than the image", False),
    ("ailed to connect", "the board does not answer; hold BOOT, press RESET, let both go, and run it again", True),
    ("No serial data received", "the board does not answer; hold BOOT, press RESET, and run it again", True),
    ("doesn't fit", "the flash of the board is too small for the image", False),
    ("MD5 of file does not match", "the flash does not hold what was written", True),
    ("ailed to write", "the flash does not take what is written", True),
    ("serial exception", "the connection broke; look at the cable and run it again", True),
    ("No more data to read", "the connection broke; look at the cable and run it again", True),
    ("Packet content transfer stopped", "the connection broke; look at the cable and run it again", True),
    ("nvalid head of packet", "the line is noisy; take a shorter cable, no hub, and run it again", True),
    ("Corrupt data", "the line is noisy; take a shorter cable, no hub, and run it again", True),
)  # fmt: skip


class EsptoolFault(ProvisioningError):
    """esptool gave up. `again`: whether another try, slower, may help. `said`: its own last lines."""

    def __init__(self, sentence: str, again: bool, said: str) -> None:
        super().__init__(sentence)
        self.again = again
        self.said = said


class Mismatch(EsptoolFault):
    """The chip has other bytes in its flash than the file it was compared with."""


@dataclass(frozen=True)
class Facts:
    """What a command told about the board on the way; '' and 0 where it did not."""

    chip: str = ""
    mac: str = ""
    flash_bytes: int = 0


@dataclass(frozen=True)
class Rung:
    """One way of talking: baud rate, and whether what is written is sent compressed."""

    baud: int
    compressed: bool

    def __str__(self) -> str:
        return f"{self.baud} baud" + ("" if self.compressed else ", uncompressed")


# Noise on long cables goes away with speed; a few clones' stubs fail on compressed data.
LADDER = (Rung(921600, True), Rung(460800, True), Rung(115200, True), Rung(115200, False))


def words(port: Port, rung: Rung, *command: object, chip: str = "auto", restart: bool = False) -> list[str]:
    """esptool's arguments. restart: let the board run afterwards; else it waits in its bootloader."""
    reset = ["--before", "no-reset"] if port.is_remote else []
    after = "hard-reset" if restart else "no-reset"
    fixed = ["--chip", chip, "--port", port.device, "--baud", str(rung.baud), *reset, "--after", after]
    return [*fixed, *map(str, command)]


def by_hand(arguments: Sequence[str]) -> str:
    """The command as somebody would type it."""
    return shlex.join(["esptool", *arguments])


async def run(
    arguments: Sequence[str], progress: Callable[[float], None] = lambda share: None, attempts: int = 7
) -> Facts:
    """Runs esptool to its end. progress: hears the share done, 0 to 1, of each file in turn.

    attempts: how often it knocks at the board. Raises EsptoolFault.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    command = [*PROGRAM, "--connect-attempts", str(attempts), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    lines: list[str] = []
    try:
        while raw := await asyncio.wait_for(process.stdout.readline(), _SILENCE_S):
            line = raw.decode("utf-8", "replace").rstrip()
            found = _PROGRESS.search(line)
            if found:
                progress(float(found[1]) / 100)
            elif line:
                lines.append(line)
        status = await process.wait()
    except TimeoutError:
        raise EsptoolFault(
            "esptool says nothing any more; pull the cable, put it back, run it again", True, ""
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise _fault(lines)
    return _facts(lines)


def _facts(lines: Sequence[str]) -> Facts:
    found: dict[str, str] = {}
    for line in lines:
        for name, pattern in _FACTS.items():
            match = pattern.search(line)
            if match and name not in found:
                found[name] = next(group for group in match.groups() if group)
    return Facts(found.get("chip", ""), found.get("mac", ""), int(found.get("flash", "0")) << 20)


def _fault(lines: Sequence[str]) -> EsptoolFault:
    said = "\n".join(lines)
    errors = [line for line in lines if "rror" in line and not line.startswith("Note:")] or list(lines[-1:])
    if any("erification failed" in line for line in errors):
        return Mismatch("the flash does not hold what was written to it; take another board", False, said)
    for text, sentence, again in _FAULTS:
        if any(text in line for line in errors):
            return EsptoolFault(sentence, again, said)
    last = errors[-1].removeprefix("ERROR: ") if errors else "no word"
    return EsptoolFault(f"esptool gave up ({last}); look at the cable and run it again", True, said)
