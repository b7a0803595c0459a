"""What forms share: faults in the person's language, addresses to return to, whole numbers from text."""

from fleet_server.refusals import Refused, Sentence
from fleet_server.web.i18n import _


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


def row_id(typed: str) -> int | None:
    """A row's number from a form's select; None for an empty or impossible one."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and 0 < int(typed) < 2**31 else None
