"""`station harvest`: the answers of a kiosk without a network, over USB or from a dump, into the server."""

import asyncio
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from provisioning import flashing, ports
from provisioning.bars import Bars
from provisioning.board_reader import Line, identity_in, look
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.flash_layout import decode, partition
from provisioning.handing_over import deliver
from provisioning.harvesting import Harvested
from provisioning.kiosk_journal import KioskJournal
from provisioning.lines import CaFile, Json, ServerOption, StateFolder, TokenFile, one_line_errors
from provisioning.server import from_environment

_ID = re.compile(r"[a-z0-9]{12}")
_DUMP_NAME = re.compile(r"([a-z0-9]{12})-\d{8}T\d{6}\.journal")
_PAUSE_S = 1.5
_BLANK = {0xFF}


@one_line_errors
def harvest(
    port: Annotated[
        str | None,
        typer.Option("--port", help="Device, USB location or serial number. Default: the one board found."),
    ] = None,
    dump: Annotated[
        Path | None, typer.Option("--dump", help="Instead of a board: a dump, or a whole flash image.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", help="The kiosk's id, where neither flash nor file name tells it."),
    ] = None,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
    folder: StateFolder = None,
) -> None:
    """Hand over the answers of a kiosk that cannot reach the server.

    The kiosk's flash is only read. The dump stays until the server has confirmed every answer in it. When the kiosk
    connects later, nothing is counted twice.
    """
    if port and dump:
        raise ProvisioningError("--port and --dump: give one of them")
    if device is not None and not _ID.fullmatch(device):
        raise ProvisioningError(f"--device {device}: an id has 12 characters a-z, 0-9")
    to = from_environment(server, token_file, ca)
    dumps = Dumps(folder)
    if dump:
        found, journal = from_file(dump)
        _check(journal, str(dump))
        ours = (
            dump
            if dump.resolve().parent == dumps.path.resolve() and _DUMP_NAME.fullmatch(dump.name)
            else None
        )
    else:
        found, journal = asyncio.run(_from_board(port, quiet=as_json))
        ours = dumps.keep(device or found or "unknown", journal)
        _check(journal, f"{found or 'this board'} (what was read is kept in {ours})")
    device_id = _one(device, found, ours)
    done = deliver(to, device_id, journal, dumps, ours)
    if as_json:
        typer.echo(json.dumps({**asdict(done), "dump": str(ours) if ours and ours.exists() else None}))
    else:
        _say(done, ours, f"{to.address}/devices/{device_id}", not KioskJournal(journal).epochs())
    if done.forks:
        raise typer.Exit(1)


def from_file(path: Path) -> tuple[str, bytes]:
    """The kiosk's id ('' when nothing tells it) and its journal, from a dump or a whole flash image."""
    content = path.read_bytes()
    try:
        table = decode(content)
    except ProvisioningError:
        named = _DUMP_NAME.fullmatch(path.name)
        return (named[1] if named else ""), content
    nvs, journal = partition("nvs", table), partition("journal", table)
    return identity_in(content[nvs.offset : nvs.end]), content[journal.offset : journal.end]


async def _from_board(name: str | None, quiet: bool) -> tuple[str, bytes]:
    there = ports.chosen([name]) if name else ports.find()
    if len(there) != 1:
        found = ", ".join(port.title for port in there) or "none"
        raise ProvisioningError(f"one board is needed, there are: {found}; plug in one, or name its --port")

    async def pause() -> None:
        await asyncio.sleep(_PAUSE_S)

    line = Line(there[0], pause)
    try:
        with Bars(quiet) as bars:
            tell = bars.teller(there[0].title)
            tell("connecting", 0.0)
            found_board = await look(line)
            row = found_board.journal
            if row is None:
                raise ProvisioningError(f"{there[0].title}: this board has no journal; it is no kiosk")
            journal = await line.read(row.offset, row.size, lambda share: tell("reading the journal", share))
    finally:
        await flashing.let_run(line)
    return found_board.id, journal


def _check(journal: bytes, whose: str) -> None:
    """Raises ProvisioningError for what is no journal: nobody may take its answers for confirmed."""
    try:
        found = KioskJournal(journal).found
    except ProvisioningError as error:
        raise ProvisioningError(f"{whose}: {error}; a dump or a whole flash image is needed") from error
    if not found and set(journal) != _BLANK:
        raise ProvisioningError(
            f"{whose}: nothing in it can be read as a kiosk's journal; is it the right file or board? Erase nothing "
            "until somebody has looked"
        )


def _one(given: str | None, found: str, dump: Path | None) -> str:
    if given and found and given != found:
        raise ProvisioningError(f"--device {given}: this is the journal of kiosk {found}")
    device_id = given or found
    if not device_id:
        where = f" (its journal is kept in {dump})" if dump else ""
        raise ProvisioningError(f"whose journal is it? Its identity cannot be read; give --device ID{where}")
    return device_id


def _say(done: Harvested, dump: Path | None, page: str, empty: bool) -> None:
    if empty:
        typer.echo(f"{done.device_id}: its journal holds no record; there is nothing to hand over")
        return
    known = "" if done.forks else f", {done.known} were known"
    typer.echo(f"{done.device_id}: {done.new} answers were new{known}")
    if done.filtered:
        typer.echo(f"  {done.filtered} of the new ones are left out by a rule (repeats, opening hours)")
    if done.rejected:
        typer.echo(f"  {done.rejected} records were rejected; they are in the server's quarantine")
    if done.forks:
        typer.echo(
            f"station: {done.device_id}: another kiosk has sent other answers under the same numbers "
            f"(a copied flash?); they are in the server's quarantine"
            + (f", the dump stays in {dump}" if dump else ""),
            err=True,
        )
    else:
        typer.echo("  the server has confirmed all of them" + ("; the dump is removed" if dump else ""))
    typer.echo(f"  its page: {page}")
