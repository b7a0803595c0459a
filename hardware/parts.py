"""A model's parts list, as Markdown and as CSV for a buyer. A price without a source is not written down."""

import csv
import io
from typing import Any

from hardware.board import Board

ASK = "price to be asked"
_COLUMNS = (
    "ref",
    "quantity",
    "what",
    "maker",
    "number",
    "price_eur",
    "price_date",
    "price_source",
    "source",
    "note",
)


def faults(board: Board) -> list[str]:
    """What is wrong with the list: an entry without source, a price without date and source."""
    found = []
    for part in board.table["part"]:
        name = f"part {part['ref']} ({part['what']})"
        if not part.get("source"):
            found.append(f"{name}: no source")
        if part["quantity"] < 1:
            found.append(f"{name}: quantity {part['quantity']}")
        if "price_eur" in part and not (part.get("price_date") and part.get("price_source")):
            found.append(f"{name}: a price of {part['price_eur']} without date and source")
    return found


def price(part: dict[str, Any]) -> str:
    """ "12.50 € (2026-11-30, shop)" for one piece, or that it must be asked."""
    if "price_eur" not in part:
        return ASK
    return f"{part['price_eur']:.2f} € ({part['price_date']}, {part['price_source']})"


def markdown(board: Board) -> str:
    """The page `parts.md`."""
    parts = board.table["part"]
    priced = [part for part in parts if "price_eur" in part]
    total = sum(part["price_eur"] * part["quantity"] for part in priced)
    rows = [
        f"| {part['ref']} | {part['quantity']} | {part['what']} | {_bought(part)} | {price(part)} | {part['source']} "
        f"| {part.get('note', '')} |"
        for part in parts
    ]
    known = (
        f"Known prices add up to {total:.2f} € for {len(priced)} of {len(parts)} entries."
        if priced
        else "**No entry has a price yet:** none was found with a source and a date, and none is invented. "
        "Whoever asks a shop enters `price_eur`, `price_date` and `price_source` in `board.toml`."
    )
    return "\n".join(
        [
            f"# {board.title}: parts for one kiosk",
            "",
            f"{known} The same as a table for a buyer: [parts.csv](parts.csv).",
            "",
            "| Ref | Pieces | What | Maker and number | Price of one | Source | Note |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def as_csv(board: Board) -> str:
    """The file `parts.csv`: a header, then one line an entry; a cell without a price says that it must be asked."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for part in board.table["part"]:
        writer.writerow({"price_eur": ASK} | {key: part.get(key, "") for key in _COLUMNS if key in part})
    return text.getvalue()


def _bought(part: dict[str, Any]) -> str:
    return " ".join(text for text in (part["maker"], part["number"]) if text != "-") or "any"
