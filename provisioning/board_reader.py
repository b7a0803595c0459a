"""What is in a board before anything is written: its chip, whose kiosk it is, and what its journal still holds.

Reads only. Invariant: a journal that cannot be ruled out is looked at.
"""

import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from provisioning import esp_tool, nvs
from provisioning.errors import ProvisioningError
from provisioning.esp_tool import LADDER, EsptoolFault, Facts, Mismatch, Rung
from provisioning.flash_layout import LAYOUT, TABLE_BYTES, TABLE_OFFSET, Partition, decode, partition
from provisioning.ports import Port

# Table and nvs of a kiosk: one read tells both.
_HEAD_END = partition("nvs").end
_LARGEST_FLASH = 32 << 20

Progress = Callable[[float], None]


def _quiet(share: float) -> None:
    return None


@dataclass
class Line:
    """How to talk to one board: begins fast, and goes down the ladder when the line fails.

    pause: waits before another try, for a USB port that comes back. attempts: how often each try knocks.
    mac: of the board that was looked at; another one at the same port is an EsptoolFault from then on.
    tried: a word about each try that failed.
    """

    port: Port
    pause: Callable[[], Awaitable[None]]
    attempts: int = 7
    ladder: tuple[Rung, ...] = LADDER
    rung: int = 0
    chip: str = "auto"
    mac: str = ""
    tried: tuple[str, ...] = ()

    async def run(self, *command: object, restart: bool = False, progress: Progress = _quiet) -> Facts:
        """Runs esptool until it succeeds or the ladder ends. Raises EsptoolFault."""
        return await self.run_as(lambda rung: command, restart=restart, progress=progress)

    async def run_as(
        self,
        command: Callable[[Rung], tuple[object, ...]],
        restart: bool = False,
        progress: Progress = _quiet,
    ) -> Facts:
        """The same for a command that depends on the rung."""
        while True:
            rung = self.ladder[self.rung]
            arguments = esp_tool.words(self.port, rung, *command(rung), chip=self.chip, restart=restart)
            try:
                facts = await esp_tool.run(arguments, progress, self.attempts)
                if self.mac and facts.mac != self.mac:
                    swapped = (
                        f"another board ({facts.mac}) is plugged in there than was looked at; run it again"
                    )
                    raise EsptoolFault(swapped, False, "")
                return facts
            except EsptoolFault as fault:
                self.tried += (f"{rung}: {fault}",)
                if not fault.again or self.rung + 1 == len(self.ladder):
                    raise
                self.rung += 1
                await self.pause()

    async def holds(
        self, offset: int, file: Path, restart: bool = False, progress: Progress = _quiet
    ) -> bool:
        """Whether the flash has the file's bytes there; the chip itself looks. Raises EsptoolFault, no Mismatch."""
        before = self.tried
        try:
            await self.run("verify-flash", hex(offset), file, restart=restart, progress=progress)
        except Mismatch:
            self.tried = before  # nothing is wrong with the line
            return False
        return True

    async def read_unless_blank(self, offset: int, size: int, progress: Progress = _quiet) -> bytes:
        """The same as `read`: a mebibyte takes 12 s by serial line, and the chip sees in one that it is blank."""
        blank = b"\xff" * size
        with tempfile.TemporaryDirectory(prefix="hymio-blank-") as folder:
            path = Path(folder, "blank")
            path.write_bytes(blank)
            if await self.holds(offset, path):
                return blank
        return await self.read(offset, size, progress)

    async def read(self, offset: int, size: int, progress: Progress = _quiet) -> bytes:
        """`size` bytes of the flash. Raises EsptoolFault."""
        with tempfile.TemporaryDirectory(prefix="hymio-read-") as folder:
            path = Path(folder, "flash")
            await self.run("read-flash", hex(offset), hex(size), path, progress=progress)
            content = path.read_bytes()
        if len(content) != size:
            raise EsptoolFault(f"esptool read {len(content)} bytes of {size}", True, "")
        return content


@dataclass(frozen=True)
class Found:
    """A board as it was found. id: of the kiosk that it is, '' when it is none. table: () without a readable one."""

    facts: Facts
    table: tuple[Partition, ...]
    blank: bool
    nvs: bytes
    id: str

    @property
    def journal(self) -> Partition | None:
        """Where its journal is, or would be: a damaged table is no reason to take answers for gone."""
        if self.blank:
            return None
        table = self.table or LAYOUT
        row = next((row for row in table if row.label == "journal"), None)
        return row if row is None or row.end <= (self.facts.flash_bytes or row.end) else None


async def look(line: Line) -> Found:
    """Chip, MAC, flash size, table and identity. The board waits in its bootloader then. Raises EsptoolFault."""
    facts = await line.run("flash-id")
    line.mac = facts.mac
    head = await line.read(TABLE_OFFSET, _HEAD_END - TABLE_OFFSET)
    try:
        table = decode(b"\xff" * TABLE_OFFSET + head, facts.flash_bytes or _LARGEST_FLASH)
    except ProvisioningError:
        table = ()
    blank = set(head[:TABLE_BYTES]) == {0xFF}
    row = partition("nvs")
    content = head[row.offset - TABLE_OFFSET : row.end - TABLE_OFFSET]
    return Found(facts, table, blank, content, identity_in(content))


def identity_in(content: bytes) -> str:
    """The kiosk's id in an NVS partition, '' when there is none that can be read."""
    try:
        blob = nvs.read(content, "identity")
        return str(json.loads(blob)["id"]) if blob else ""
    except (ProvisioningError, ValueError, KeyError, TypeError):
        return ""
