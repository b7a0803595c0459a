"""One board from what it holds to what it is to hold: looked at, guarded, written, verified, started.

Knows no other board and no terminal. Invariants: nothing is written to a board of another chip, nor over a journal with
answers that no server has confirmed; what is called done was read back by the chip. Every step can be cut off and the
whole done again.
"""

import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from provisioning import board_reader, esp_image, esp_tool
from provisioning.bars import Tell
from provisioning.board_reader import Found, Line
from provisioning.chips import CHIPS, Chip
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.esp_tool import EsptoolFault, Mismatch, Rung
from provisioning.flash_layout import SECTOR_BYTES, Partition, partition
from provisioning.image import read_blob, read_image
from provisioning.kiosk_journal import answers_waiting
from provisioning.ports import Port

# Blank stretches shorter than this are written with their neighbours: a file more costs esptool a round.
_GAP_SECTORS = 16
# Steps and their share of the bar, by how long they take on a board.
STEPS = {"connecting": 0.05, "reading the journal": 0.15, "writing": 0.65, "verifying": 0.15}

Harvest = Callable[[str, bytes], Awaitable[None]]


@dataclass(frozen=True)
class KioskImage:
    """A flash image file for a board: whose it is, for which chip. `size`: bytes."""

    path: Path
    size: int
    id: str
    chip: Chip

    @property
    def content(self) -> bytes:
        """Read anew each time: a plan may have a hundred images of 8 MiB."""
        return read_image(self.path)


@dataclass
class Outcome:
    """How it went with one board. state: written, already or failed; reason: a sentence when it failed.

    by_hand: the command that does the same, once it is known that nothing is lost by it; '' before.
    """

    port: Port
    id: str
    state: str = "failed"
    reason: str = ""
    mac: str = ""
    was: str = ""
    by_hand: str = ""
    tried: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        return {
            "port": self.port.device,
            "location": self.port.location,
            "id": self.id,
            "state": self.state,
            "reason": self.reason,
            "mac": self.mac,
            "was": self.was,
            "by_hand": self.by_hand,
            "tried": self.tried,
        }


def open_image(path: Path) -> KioskImage:
    """An image that can be flashed. Raises ProvisioningError for one without a bootloader or an identity."""
    content = read_image(path)
    for chip in CHIPS:
        start = chip.bootloader_offset
        if (
            content[start] == esp_image.MAGIC
            and esp_image.chip_id(content[start : start + 24]) == chip.image_id
        ):
            return KioskImage(path, len(content), str(json.loads(read_blob(content, "identity"))["id"]), chip)
    raise ProvisioningError(
        f"{path}: there is no bootloader in it; build it with `station image --stock FILE`"
    )


async def flash_board(
    line: Line,
    found: Found,
    image: KioskImage,
    outcome: Outcome,
    tell: Tell,
    dumps: Dumps,
    even_if_answers_wait: bool = False,
    harvest: Harvest | None = None,
) -> None:
    """Brings the image onto the board that was looked at; says in `outcome` how it went, and raises nothing that a
    person can act on.
    """
    try:
        fits(found, image)
        line.chip = image.chip.name
        if await _holds_already(line, found, image, tell):
            outcome.state = "already"
            return
        if even_if_answers_wait or found.journal is None:
            await line.run("read-mac")  # somebody was asked since the look: is it still the same board?
        else:
            await _guard(line, found.journal, found.id, tell, dumps, harvest)
        outcome.by_hand = by_hand(line, image)  # not before: it knows no guard
        await _write_and_verify(line, image, tell)
        outcome.state = "written"
    except ProvisioningError as error:
        outcome.reason = str(error)
        await let_run(line)
    finally:
        outcome.tried = list(line.tried)
        if outcome.by_hand:
            outcome.by_hand = by_hand(line, image)


def fits(found: Found, image: KioskImage) -> None:
    """Raises ProvisioningError for a board of another chip, or with too little flash."""
    if found.facts.chip != image.chip.title:
        raise ProvisioningError(
            f"the board is an {found.facts.chip or 'unknown chip'}, {image.path.name} is for an {image.chip.title}; "
            "nothing was written: build the image for this board (station image --board)"
        )
    if found.facts.flash_bytes and found.facts.flash_bytes < image.size:
        raise ProvisioningError(
            f"the board has {found.facts.flash_bytes >> 20} MiB of flash, a kiosk needs {image.size >> 20}; "
            "nothing was written: take another board"
        )


def by_hand(line: Line, image: KioskImage) -> str:
    """The one command that does the same, as slow as it had to be."""
    rung = line.ladder[line.rung]
    slow = () if rung.compressed else ("--no-compress",)
    command = ("write-flash", *slow, "--erase-all", "0x0", image.path)
    return esp_tool.by_hand(esp_tool.words(line.port, rung, *command, chip=image.chip.name, restart=True))


def pieces(content: bytes) -> list[tuple[int, bytes]]:
    """(offset, bytes) of all that is not blank, in whole sectors; the rest is what the erase leaves."""
    blank = b"\xff" * SECTOR_BYTES
    used = [at for at in range(0, len(content), SECTOR_BYTES) if content[at : at + SECTOR_BYTES] != blank]
    runs: list[list[int]] = []
    for at in used:
        if runs and at - runs[-1][1] <= _GAP_SECTORS * SECTOR_BYTES:
            runs[-1][1] = at + SECTOR_BYTES
        else:
            runs.append([at, at + SECTOR_BYTES])
    return [(start, content[start:end]) for start, end in runs]


async def _holds_already(line: Line, found: Found, image: KioskImage, tell: Tell) -> bool:
    row = partition("nvs")
    if found.nvs != image.content[row.offset : row.end]:
        return False
    return await line.holds(0, image.path, restart=True, progress=_part(tell, "verifying"))


async def _guard(
    line: Line, row: Partition, device_id: str, tell: Tell, dumps: Dumps, harvest: Harvest | None
) -> None:
    """Raises ProvisioningError when the journal holds answers that no server has confirmed."""
    journal = await line.read_unless_blank(row.offset, row.size, _part(tell, "reading the journal"))
    waiting = answers_waiting(journal)
    if not waiting or dumps.is_confirmed(journal):
        return
    if harvest is not None and device_id:
        await harvest(device_id, journal)
        return
    kept = dumps.keep(device_id or "unknown", journal)
    whose = f"kiosk {device_id}" if device_id else "a kiosk whose identity cannot be read"
    raise ProvisioningError(
        f"{waiting} answers of {whose} have not reached a server; nothing was written. First hand them over: "
        f"station harvest --dump {kept} (or give --harvest); `station flash --even-if-answers-wait` loses them"
    )


async def _write_and_verify(line: Line, image: KioskImage, tell: Tell) -> None:
    while True:
        await _write(line, image, tell)
        try:
            await line.run("verify-flash", "0x0", image.path, restart=True, progress=_part(tell, "verifying"))
        except Mismatch:
            if line.rung + 1 == len(line.ladder):
                raise
            line.rung += 1
        else:
            return


async def _write(line: Line, image: KioskImage, tell: Tell) -> None:
    parts = pieces(image.content)
    total = sum(len(data) for _, data in parts)
    progress = _part(tell, "writing")
    with tempfile.TemporaryDirectory(prefix="hymio-flash-") as folder:
        files: list[str] = []
        for offset, data in parts:
            path = Path(folder, f"{offset:06x}.bin")
            path.write_bytes(data)
            files += [hex(offset), str(path)]
        shares = [len(data) / total for _, data in parts]
        done = {"part": 0, "share": 0.0}

        def more(share: float) -> None:
            # esptool counts from 0 for each file.
            if share < done["share"]:
                done["part"] = min(done["part"] + 1, len(shares) - 1)
            done["share"] = share
            at = int(done["part"])
            progress(sum(shares[:at]) + shares[at] * share)

        def command(rung: Rung) -> tuple[object, ...]:
            done.update(part=0, share=0.0)
            slow = () if rung.compressed else ("--no-compress",)
            return ("write-flash", *slow, "--erase-all", *files)

        await line.run_as(command, progress=more)


async def let_run(line: Line) -> None:
    """A board that is left as it was shall not wait in its bootloader."""
    try:
        await esp_tool.run(
            esp_tool.words(line.port, line.ladder[line.rung], "read-mac", chip=line.chip, restart=True),
            attempts=1,
        )
    except EsptoolFault:
        return  # it is gone; that is what the outcome says already


def _part(tell: Tell, step: str) -> Callable[[float], None]:
    names = list(STEPS)
    before = sum(STEPS[name] for name in names[: names.index(step)])

    def told(share: float) -> None:
        tell(step, before + STEPS[step] * share)

    told(0.0)
    return told


async def look(line: Line, tell: Tell) -> Found:
    """What the board holds. Raises EsptoolFault; the board runs again then, if it is there."""
    told = _part(tell, "connecting")
    found = await board_reader.look(line)
    told(1.0)
    return found
