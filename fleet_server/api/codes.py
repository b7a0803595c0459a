"""The codes of the API's errors: for programs, which must not read sentences. Whatever language somebody reads, the
sentences beside them are English.

Invariant: a code, once given, keeps its meaning; new ones may come.
"""

from typing import Literal, get_args

Code = Literal[
    "sign_in",
    "not_allowed",
    "not_found",
    "method",
    "conflict",
    "too_large",
    "invalid",
    "hindered",
    "in_use",
    "duplicate",
    "too_many",
    "failed",
]
CODES: tuple[Code, ...] = get_args(Code)
MEANINGS: dict[Code, str] = {
    "sign_in": "there is no good token or sign-in",
    "not_allowed": "your role, or your unit, does not include this",
    "not_found": "there is no such thing, or you may not see it",
    "method": "the address is right, the method is not",
    "conflict": "somebody else changed it at the same time; nothing was saved",
    "too_large": "more than can be taken; nothing was saved",
    "invalid": "a field is wrong: `field` and `value`, all of them in `faults`",
    "hindered": "as things are it cannot be done: `faults` says everything that is in its way",
    "in_use": "something needs it still: `faults` names what",
    "duplicate": "there is such a one already: `faults` names it",
    "too_many": "too many requests in a short time",
    "failed": "a fault of the server; it has been logged",
}
_OF_STATUS: dict[int, Code] = {
    401: "sign_in",
    403: "not_allowed",
    404: "not_found",
    405: "method",
    409: "conflict",
    413: "too_large",
    429: "too_many",
}


def code_of(status: int) -> Code:
    """The code of an answer that says nothing more than its status."""
    return _OF_STATUS.get(status, "invalid" if status < 500 else "failed")
