"""Who may see and do what: the one place that decides it. It knows roles and units, no page and no form.

Each route names its rule: `allow(Role.X)` gives the person who asks or refuses, `public` says that there is
none to ask for. A test walks all routes and fails on one that has neither. Lists start from the `visible_…`
selects.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Select, exists, false, or_, true
from sqlmodel import col, select

from fleet_server.accounts.models import Role
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places.models import Installation, Place, Unit

# These are never limited to a unit: who gives out roles could give himself any, and the operator looks after
# all devices.
COUNTY_WIDE = frozenset({Role.ADMIN, Role.OPERATOR})
WHOLE_COUNTY = "/"
STATION = "station"  # the scope of a technician's token for the station tool, see accounts/station_tokens.py


@dataclass(frozen=True)
class Grant:
    """A role at a unit and all below it; `unit_path` None is the whole county."""

    role: Role
    unit_path: str | None = None

    def covers(self, unit_path: str) -> bool:
        """Whether this unit (its path, or WHOLE_COUNTY) lies within the grant."""
        return self.unit_path is None or unit_path.startswith(self.unit_path)


@dataclass(frozen=True)
class Person:
    """Who asks: a person with an account (`user`) or a program with a token (`token`).

    `scope`: the only kind of routes that the token is for; '' for people and for tokens without such a limit.
    """

    kind: str
    id: int
    name: str
    email: str
    language: str
    grants: tuple[Grant, ...]
    scope: str = ""

    @property
    def actor(self) -> str:
        """How the audit log names this person."""
        return self.email if self.kind == "user" else f"token:{self.name}"

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held anywhere."""
        return frozenset(grant.role for grant in self.grants)


class SignInNeeded(Exception):
    """Nobody is signed in, and the route needs somebody."""


class NotAllowed(Exception):
    """The person is known and lacks the role; pages answer 403."""


class Rule:
    """A route's rule as a FastAPI dependency: gives the Person, or raises SignInNeeded or NotAllowed."""

    def __init__(self, roles: frozenset[Role], scope: str = "") -> None:
        self.roles, self.scope = roles, scope

    def __call__(self, request: Request) -> Person:
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            raise SignInNeeded
        if person.scope and person.scope != self.scope:
            raise NotAllowed
        if not person.roles or (self.roles and not person.roles & (self.roles | {Role.ADMIN})):
            raise NotAllowed
        return person


class PublicRule:
    """Marks a route that anybody may use."""

    def __call__(self) -> None:
        return None


def allow(*roles: Role, scope: str = "") -> Any:
    """The rule "holds one of these roles, anywhere" (admin always passes; no roles: any role at all).
    A token that is for one scope alone passes only where that scope is named.

    For `Annotated[Person, allow(...)]` or `dependencies=[allow(...)]`. Where a unit matters, the route asks
    `may` too.
    """
    return Depends(Rule(frozenset(roles), scope))


public = Depends(PublicRule())
SignedIn = Annotated[Person, allow()]


def may(person: Person | None, role: Role, unit_path: str | None = None) -> bool:
    """Whether the person holds this role (or admin) at a unit; None: anywhere; WHOLE_COUNTY: everywhere."""
    if person is None:
        return False
    return any(
        grant.role in (role, Role.ADMIN) and (unit_path is None or grant.covers(unit_path))
        for grant in person.grants
    )


def require(person: Person, unit_path: str, *roles: Role) -> None:
    """Raises NotAllowed unless the person holds one of the roles at this unit."""
    if not any(may(person, role, unit_path) for role in roles):
        raise NotAllowed


def visible_units(person: Person) -> Select[Any]:
    """Ids of the units that this person may see: their own and all below."""
    if not person.grants:
        return select(Unit.id).where(false())
    if any(grant.unit_path is None for grant in person.grants):
        return select(Unit.id).where(true())
    paths = sorted({grant.unit_path for grant in person.grants if grant.unit_path is not None})
    return select(Unit.id).where(or_(*(col(Unit.path).like(f"{path}%") for path in paths)))


def visible_places(person: Person) -> Select[Any]:
    """Ids of the places in those units."""
    return select(Place.id).where(col(Place.unit_id).in_(visible_units(person)))


def visible_devices(person: Person) -> Select[Any]:
    """Ids of the kiosks at those places now; who installs or looks after devices sees those in store too."""
    stands_open = (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
    seen = exists().where(stands_open, col(Installation.place_id).in_(visible_places(person)))
    kiosks = select(Device.id).where(col(Device.channel) == KIOSK)
    if person.roles & {Role.TECHNICIAN, Role.OPERATOR, Role.ADMIN}:
        return kiosks.where(or_(seen, ~exists().where(stands_open)))
    return kiosks.where(seen)
