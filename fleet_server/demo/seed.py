"""What a demonstration starts with: a small tree of units, three demo places, a person who may do everything.

The county is called "example" in its three languages and its places are marked *demo*: no total includes them.
"""

import os
import secrets
from pathlib import Path

from sqlmodel import Session, select

from fleet_server.accounts import passwords
from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role, User
from fleet_server.places import service as places
from fleet_server.places.models import Place, Unit

EMAIL = "admin@example.org"
_PASSWORD_FILE = "demo-sign-in.txt"  # noqa: S105  (a file's name)

_TREE = (
    (
        "Esimerkin hyvinvointialue",
        "Exempels välfärdsområde",
        "Example wellbeing services county",
        "health",
        None,
    ),
    ("Terveyspalvelut", "Hälsotjänster", "Health services", "health", 0),
    ("Sosiaalipalvelut", "Socialtjänster", "Social services", "social", 0),
    (
        "Keskustan sote-asema",
        "Centrums social- och hälsostation",
        "City centre health and social centre",
        "health",
        1,
    ),
    ("Aikuissosiaalityö", "Vuxensocialarbete", "Adult social work", "social", 2),
)
_PLACES = (("Sote-asema, pääovi", 3), ("Laboratorion ovi", 3), ("Aikuissosiaalityö, aula", 4))


def demo_places(session: Session, *, now: int) -> list[Place]:
    """The three demo places, made at the first call."""
    there = list(session.exec(select(Place).where(Place.demo).order_by(Place.id)))  # type: ignore[arg-type]
    if there:
        return there
    units: list[Unit] = []
    for name_fi, name_sv, name_en, sector, parent in _TREE:
        units.append(
            places.create_unit(
                session,
                "fleet demo",
                parent_id=None if parent is None else units[parent].id,
                name_fi=name_fi,
                name_sv=name_sv,
                name_en=name_en,
                oid=None,
                sector=sector,
                now=now,
            )
        )
    return [
        places.create_place(session, "fleet demo", unit_id=units[unit].id, name=name, demo=True, now=now)
        for name, unit in _PLACES
    ]


def sign_in(session: Session, folder: Path, *, now: int) -> tuple[str, str]:
    """E-mail and password of the demonstration's person; no password when somebody has chosen another since.

    The password is made at random for this folder and kept in a file that only its owner can read, so that the next
    start can print it again. The database holds only its hash.
    """
    file = folder / _PASSWORD_FILE
    person = session.exec(select(User).where(User.email == EMAIL)).first()
    if person is not None and file.exists():
        made = file.read_text().strip()
        return EMAIL, made if passwords.matches(made, person.password_hash) else ""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    if person is None:
        person = accounts.create_user(
            session, email=EMAIL, name="Demo", language=_language(), roles=[(Role.ADMIN, None)], now=now
        )
    accounts.set_password(session, person, password, now=now)
    file.touch(mode=0o600)
    file.write_text(password + "\n")
    return EMAIL, password


def _language() -> str:
    """The language of whoever starts the demonstration, as far as the pages speak it."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return spoken[:2] if spoken[:2] in ("fi", "sv") else "en"
