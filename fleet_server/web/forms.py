"""What forms share: faults in the person's language, addresses to return to, whole numbers from text."""

import json

from fleet_server.refusals import Refused, Sentence
from fleet_server.web.i18n import _

KEPT_FORMS = ("/drafts/",)  # an hour's writing goes into these: it survives a sign-in that has expired
KEPT_FIELDS = 4000  # 40 questions in six languages, each with seven labels


def messages(refused: Refused) -> dict[str, str]:
    """Each fault by field, in the language of the request."""
    return {name: _(text) % values for name, (text, values) in refused.faults.items()}


def said(fault: str) -> str:
    """A fault in the language of the request, as far as it can be."""
    if not isinstance(fault, Sentence):
        return fault
    return _(fault.text) % {
        name: said(value)
        if isinstance(value, Sentence)
        else _(value)
        if name in ("language", "mode", "type", "before_type")
        else value
        for name, value in fault.values.items()
    }


def local_address(address: str) -> str:
    """`address` when it leads to a page of this server, else `/`: no link to the sign-in leads elsewhere."""
    if (
        not address.startswith("/")
        or address.startswith("//")
        or "\\" in address
        or not address.isprintable()
    ):
        return "/"
    return address


def kept_form(typed: str, address: str) -> list[tuple[str, str]]:
    """The fields of a form that waited for the sign-in; [] for anything that is none, or leads elsewhere."""
    try:
        pairs = json.loads(typed) if typed and address.startswith(KEPT_FORMS) else []
    except (ValueError, RecursionError):
        return []
    if not isinstance(pairs, list) or len(pairs) > KEPT_FIELDS:
        return []
    whole = all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
        for pair in pairs
    )
    return [(name, value) for name, value in pairs] if whole else []


def row_id(typed: str) -> int | None:
    """A row's number from a form's select; None for an empty or impossible one."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and 0 < int(typed) < 2**31 else None
