"""`station label`: labels for kiosks, by their ids; names come from the server unless they are given."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioning.errors import ProvisioningError
from provisioning.label import Label
from provisioning.label_sheets import SHEETS, Sheet, pdf, pngs, sheet_of
from provisioning.lines import CaFile, Json, ServerOption, TokenFile, one_line_errors
from provisioning.server import Denied, Server, address_from, from_environment
from provisioning.virtual.folder import write_private

_GIVEN = re.compile(r"([a-z0-9]{12})(?:=(.*))?")
SHEET_HELP = "; ".join(f"{name}: {sheet.title}" for name, sheet in SHEETS.items())


@one_line_errors
def label(
    kiosks: Annotated[
        list[str],
        typer.Argument(
            metavar="ID[=NAME]…", help="Its id or name, as the server knows it; ID=NAME asks nobody."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="A .pdf, or a .png for each sheet.")],
    sheet: Annotated[str, typer.Option("--sheet", help=SHEET_HELP)] = "single",
    skip: Annotated[
        int, typer.Option("--skip", help="Labels that are gone from the first sheet already.")
    ] = 0,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> None:
    """Draw labels with name, id and a QR code that leads to the device's page."""
    layout = check_sheet(out, sheet, "--out")
    address = address_from(server)
    parted = [_parted(text) for text in kiosks]
    ask = any(not name for _, name in parted)
    fleet = from_environment(server, token_file, ca) if ask else None
    labels = [_label(wanted, name, address, fleet) for wanted, name in parted]
    files = write_labels(labels, out, layout, skip)
    if as_json:
        named = [{"id": one.id, "name": one.name, "address": one.address} for one in labels]
        typer.echo(json.dumps({"files": [str(path) for path in files], "labels": named}))
        return
    typer.echo(f"{', '.join(map(str, files))}: {counted(labels)}, {layout.title}")
    typer.echo("print at 100 % (actual size), not fitted to the page")


def check_sheet(out: Path, sheet: str, option: str) -> Sheet:
    """The sheet of that name. Raises ProvisioningError when it is unknown, or the file neither PDF nor PNG."""
    if out.suffix not in (".pdf", ".png"):
        raise ProvisioningError(f"{option} {out}: its name must end in .pdf or .png")
    return sheet_of(sheet)


def write_labels(labels: Sequence[Label], out: Path, layout: Sheet, skip: int = 0) -> list[Path]:
    """Draw them; returns the files: one PDF, or a PNG for each sheet."""
    pages = [pdf(labels, layout, skip)] if out.suffix == ".pdf" else pngs(labels, layout, skip)
    files = [out if not number else out.with_stem(f"{out.stem}-{number + 1}") for number in range(len(pages))]
    for path, content in zip(files, pages, strict=True):
        write_private(path, content)
    return files


def counted(labels: Sequence[Label]) -> str:
    """How many, in words."""
    return "1 label" if len(labels) == 1 else f"{len(labels)} labels"


def _parted(text: str) -> tuple[str, str]:
    found = _GIVEN.fullmatch(text)
    if found is None and "=" in text:
        raise ProvisioningError(f"'{text}': ID or ID=NAME is needed, an id has 12 characters a-z, 0-9")
    if found is None:
        return text, ""
    return found[1], (found[2] or "").strip()


def _label(device_id: str, name: str, address: str, fleet: Server | None) -> Label:
    """device_id: or a device's whole name, when `name` is ''."""
    model = ""
    if not name:
        assert fleet is not None
        told = _told(device_id, fleet)
        device_id = str(told["id"])
        name, model = str(told.get("name", "")), str(told.get("model", ""))
    return Label(device_id, name, f"{address}/devices/{device_id}", model)


def _told(wanted: str, fleet: Server) -> dict[str, Any]:
    """A device by its id, else by its name, which may look like one: `laboratorium`."""
    if _GIVEN.fullmatch(wanted):
        try:
            found: dict[str, Any] = fleet.get(f"/devices/{wanted}")
            return found
        except Denied as error:
            if error.code != "not_found":
                raise
    return fleet.device(wanted)
