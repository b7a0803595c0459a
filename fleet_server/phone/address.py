"""The public address of a place, and that address as a QR code. It knows no page.

Invariant: for the same PUBLIC_ADDRESS a place's address never changes: it stands on paper.
"""

from functools import lru_cache
from typing import Any

import segno
from sqlmodel import Session, select

from fleet_server.phone.models import PublicAddress
from fleet_server.places.models import Installation, Place

QUIET = 4  # modules of white around a code, by ISO 18004


def address_of(public_address: str, code: str) -> str:
    """What the QR code holds; '' without a public address."""
    return f"{public_address}/p/{code}" if public_address else ""


@lru_cache(maxsize=256)
def qr_rows(text: str) -> tuple[int, ...]:
    """The code's rows from the top, each a number whose highest bit (2 to the width less 1) is its leftmost module;
    1 is dark. Without the quiet zone. Medium error correction: a scratched poster is still read."""
    matrix = segno.make_qr(text, error="m", boost_error=True).matrix
    return tuple(int("".join("1" if module else "0" for module in row), 2) for row in matrix)


def qr_path(text: str) -> tuple[int, str]:
    """(width and height in modules with the quiet zone, path) of the code as SVG; each run of dark modules is a bar."""
    rows = qr_rows(text)
    size = len(rows)
    bars = []
    for y, row in enumerate(rows):
        x = 0
        bits = f"{row:0{size}b}"
        while (x := bits.find("1", x)) >= 0:
            end = bits.find("0", x)
            width = (end if end >= 0 else size) - x
            bars.append(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z")
            x += width
    return size + 2 * QUIET, "".join(bars)


def remember(session: Session, address: str) -> None:
    """Keep PUBLIC_ADDRESS for what kiosks are told: commands of another process read it here."""
    row = session.get(PublicAddress, 1) or PublicAddress()
    row.address = address
    session.add(row)


def setting_of(session: Session, device_id: str) -> dict[str, Any] | None:
    """The `qr` of a kiosk's settings: `text`, `rows` as of `qr_rows`, `size` of its side. None without an address."""
    row = session.get(PublicAddress, 1)
    if row is None or not row.address:
        return None
    code = session.exec(
        select(Place.code)
        .join(Installation, Installation.place_id == Place.id)  # type: ignore[arg-type]
        .where(Installation.device_id == device_id, Installation.to_at == None)  # noqa: E711
    ).first()
    if code is None:
        return None
    text = address_of(row.address, code)
    rows = qr_rows(text)
    return {"text": text, "rows": list(rows), "size": len(rows)}
