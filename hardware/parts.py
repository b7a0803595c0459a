"""A model's parts list, as Markdown and as CSV for a buyer. A price without a source is not written down."""

import csv
import io
from typing import Any

from hardware.board import Board

ASK = "price to be asked"
LOOKED_FOR = "2026-12-01"  # the day when somebody last looked for prices of the entries that have none
_COLUMNS = (
    "ref",
    "quantity",
    "what",
    "maker",
    "number",
    "price",
    "currency",
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
        if "price" in part and not all(part.get(key) for key in ("currency", "price_date", "price_source")):
            found.append(f"{name}: a price of {part['price']} without currency, date and source")
    return found


def price(part: dict[str, Any]) -> str:
    """ "12.50 EUR (2026-11-30, shop)" for one piece, or that it must be asked."""
    if "price" not in part:
        return ASK
    return f"{part['price']:.2f} {part['currency']} ({part['price_date']}, {part['price_source']})"


def markdown(board: Board) -> str:
    """The page `parts.md`."""
    parts = board.table["part"]
    priced = [part for part in parts if "price" in part]
    totals: dict[str, float] = {}
    for part in priced:
        totals[part["currency"]] = totals.get(part["currency"], 0) + part["price"] * part["quantity"]
    rows = [
        f"| {part['ref']} | {part['quantity']} | {part['what']} | {_bought(part)} | {price(part)} | {part['source']} "
        f"| {part.get('note', '')} |"
        for part in parts
    ]
    sums = " and ".join(f"{total:.2f} {currency}" for currency, total in totals.items())
    known = (
        (f"**{len(priced)} of {len(parts)} entries have a price** ({sums} in all). " if priced else "")
        + f"Where none was found with a source and a date (last looked for on {LOOKED_FOR}), none is invented: "
        "whoever asks a shop enters `price`, `currency`, `price_date` and `price_source` "
        "in `board.toml`. Prices: one piece, without tax and freight."
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
        writer.writerow({"price": ASK} | {key: part.get(key, "") for key in _COLUMNS if key in part})
    return text.getvalue()


def _bought(part: dict[str, Any]) -> str:
    return " ".join(text for text in (part["maker"], part["number"]) if text != "-") or "any"
