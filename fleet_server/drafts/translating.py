"""What somebody who translates wants done, as operations: for the page of texts and for the API alike.

It knows bodies, no session and no form. Invariant: a text that was not altered makes no operation, and nobody
translates, or calls right, a text whose source they have not seen.
"""

from typing import Any

from fleet_server.drafts.texts import Body, slots, tidy
from fleet_server.refusals import N_, Faults


def wanted(shown: Body, now: Body, typed: dict[str, str], keep: list[str]) -> list[dict[str, Any]]:
    """The operations for `typed` (text by path) and for `keep` (paths whose text is still right).

    shown: the body that the person looked at; now: as it is. Raises Refused where a source is another one by now.
    """
    found = _ops(shown, typed)
    found += [{"do": "keep", "path": path} for path in keep]
    _check_source(shown, now, {op["path"] for op in found})
    return found


def altered(shown: Body, typed: dict[str, str]) -> dict[str, str]:
    """Of `typed`, what says something else than what was shown."""
    return {op["path"]: op["to"] or "" for op in _ops(shown, typed)}


def check_paths(body: Body, language: str, paths: list[str]) -> None:
    """Raises Refused for each path that is no text of this language that can be translated."""
    known = {slot.path(language) for slot in slots(body) if not slot.locked}
    faults = Faults()
    for path in paths:
        if path not in known:
            faults.add(path, N_("“%(value)s” is no text of this draft that can be translated."), value=path)
    faults.check()


def _ops(shown: Body, typed: dict[str, str]) -> list[dict[str, Any]]:
    return [
        slot.op(language, tidy(typed[slot.path(language)]))
        for slot in slots(shown)
        if not slot.locked
        for language in shown["languages"]
        if tidy(typed.get(slot.path(language), slot.texts.get(language, "")))
        != tidy(slot.texts.get(language, ""))
    ]


def _check_source(shown: Body, now: Body, paths: set[str]) -> None:
    source = shown["languages"][0]
    before = {slot.key: slot.texts.get(source, "") for slot in slots(shown)}
    faults = Faults()
    for slot in slots(now):
        text = slot.texts.get(source, "")
        if before.get(slot.key, text) == text:
            continue
        for language in now["languages"]:
            if language != source and slot.path(language) in paths:
                faults.add(
                    slot.path(language),
                    N_("The source was changed meanwhile to “%(value)s”. Look at it, then save again."),
                    value=text,
                )
    faults.check()
