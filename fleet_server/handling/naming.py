"""Says whether a text may name a person, so that its reader takes care. It takes nothing out and keeps nothing.

A hint, not a judgement: it knows common names of Finland in their cases (data/names.txt), names after a title, and the
shapes of surnames. It misses a rare name in small letters, and takes a street that is called like a person for one.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
# A word that says what somebody is, in any case and compound (osastonhoitajalle), then a word with a capital.
_STEMS = (
    "hoitaj|lääkär|kätilö|terapeut|psykolog|ohjaaj|tohtor|professor|virkailij|rouva|neiti|sköters|skötare|vårdare|läkare"
    "|doktor|barnmorsk|terapeft|syster|nurse|doctor|midwife|sister"
)
_SHORT = "tri|dr|prof|mr|mrs|ms|hra|rva|sh|lh|th"
_TITLE = re.compile(
    rf"\b(?:\w*(?:{_STEMS})\w*|(?:{_SHORT})\b\.?)[ \t]+(?-i:([A-ZÅÄÖÉ][\w’'-]+))", re.IGNORECASE
)
_SURNAME = re.compile(
    r"[A-ZÅÄÖ]\w+(?:nen|sen|selle|sella|sellä|selta|seltä|sson|ström|berg|qvist|kvist|lund|blom|holm|roos)(?:in|ille|s)?"
)
_BEGINS = re.compile(r"(?:^|[.!?…:;()\n\"”–-])\s*\Z")
_LITTLE = "jag vi ni de och på i on oli ei kun että ja the was is and he she they i a an"
_ENDING_IN_I = (
    "hirvi joki järvi kivi koski lahti lampi lumi meri mäki niemi nurmi saari salmi susi suvi veri vuori"
)
# What follows a title with a capital and is no name.
_NO_NAMES = frozenset(_LITTLE.split())
_SOFT = {"kk": "k", "pp": "p", "tt": "t", "nk": "ng", "nt": "nn", "mp": "mm", "lt": "ll", "rt": "rr"}
# Names whose last i turns into e in the other cases.
_TURNING = frozenset(_ENDING_IN_I.split())
_ODD = {"joki": "joe", "lahti": "lahde", "mäki": "mäe", "susi": "sude"}
_CASES = ("n", "lla", "llä", "lta", "ltä", "lle", "ssa", "ssä", "sta", "stä")
_VOWELS = "aeiouyäöå"


def may_name(text: str) -> bool:
    """Whether a personal name is likely in this text."""
    names, words_too = _known()
    shouted = text.upper() == text  # then capitals tell nothing
    if not shouted and any(found[1].casefold() not in _NO_NAMES for found in _TITLE.finditer(text)):
        return True
    for word in _WORD.finditer(text):
        folded = word[0].casefold()
        if names.intersection((folded, *folded.split("-"))):
            return True
        if shouted or not word[0][0].isupper() or _BEGINS.search(text[: word.start()]):
            continue
        if folded in words_too or _SURNAME.fullmatch(word[0]):
            return True
    return False


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """All forms of the names, in small letters: of those that are nothing else, and of those that are words, too."""
    kinds: dict[str, set[str]] = {"[plain]": set(), "[also words]": set()}
    kind: set[str] = set()
    for line in files("fleet_server.handling").joinpath("data/names.txt").read_text("utf-8").splitlines():
        if line in kinds:
            kind = kinds[line]
        elif not line.startswith("#"):
            for name in line.split():
                kind.update(_forms(name.casefold()))
    return frozenset(kinds["[plain]"]), frozenset(kinds["[also words]"])


def _forms(name: str) -> Iterator[str]:
    """The name as it is and as Finnish and Swedish bend it: Matti, Matille, Virtasen, Mäen, Johanssonin, Annas."""
    yield from (name, name + "s", name + "kin")
    if name.endswith("nen"):
        stem = name[:-3] + "se"
        yield from (stem + case for case in (*_CASES, "en", "t"))
        yield from (stem[:-1] + ending for ending in ("ta", "tä", "ten"))
    elif name[-1] in _VOWELS:
        yield from (stem + case for stem in _stems(name) for case in _CASES)
        yield from (name + ending for ending in ("a", "ä", "ta", "tä", name[-1] + "n"))
    else:  # Johanssonin, Henrikiä; Tuomaksen, Tuomasta
        yield from (name + "i" + ending for ending in (*_CASES, "a", "ä", "in"))
        if name[-1] == "s":
            yield from (name[:-1] + "kse" + case for case in _CASES)
            yield from (name + ending for ending in ("ta", "tä"))


def _stems(name: str) -> Iterator[str]:
    """What cases are put to: Anna-, Mati- of Matti, Lainee- of Laine, Koske- of Koski."""
    soft = [name[: -1 - len(hard)] + _SOFT[hard] + name[-1] for hard in _SOFT if name[:-1].endswith(hard)]
    stems = [name, *soft]
    yield from stems
    if name[-1] == "e":
        yield name + "e"
    elif name in _TURNING:
        yield _ODD.get(name, stems[-1][:-1] + "e")
