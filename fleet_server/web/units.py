"""Units as pages name them: in the reader's language, and as a list to choose from that shows the tree."""

from collections.abc import Sequence

from fleet_server.places.models import Unit
from fleet_server.web.i18n import language

_INDENT = "\u2003"  # an em space: browsers keep it inside <option>


def unit_name(unit: Unit) -> str:
    """The unit's name in the language of the request."""
    return {"fi": unit.name_fi, "sv": unit.name_sv}.get(language(), unit.name_en)


def unit_options(units: Sequence[Unit]) -> list[tuple[int, str]]:
    """Ids and indented names for a select, parents before their children and children in order of their
    names.

    Units whose parent is not among them stand at the top: the reader may see only a part of the tree.
    """
    ids = {unit.id for unit in units}
    below: dict[int | None, list[Unit]] = {}
    for unit in units:
        below.setdefault(unit.parent_id if unit.parent_id in ids else None, []).append(unit)
    options: list[tuple[int, str]] = []

    def add(parent: int | None, depth: int) -> None:
        for unit in sorted(below.get(parent, []), key=lambda each: unit_name(each).casefold()):
            options.append((unit.id or 0, _INDENT * depth + unit_name(unit)))
            add(unit.id, depth + 1)

    add(None, 0)
    return options
