"""Views of question sets as a touchscreen has them, for tests. Runs on CPython and MicroPython."""

LANGUAGES = ["fi", "sv", "en"]
WORDS = (
    "skip back next done leave cant_say several notice write phone phone_hint child kin visitor language contrast "
    "large low stay countdown invite caps space letters sami digits thanks_more"
)
_COUNTS = {"smiley4": 4, "smiley5": 5, "agree5": 5, "pei": 3, "nps": 2, "choice": 3}
NPS, FIRST_K, PEI, KTI, OPEN, CHILD, KIN = 0, 1, 8, 9, 10, 11, 12


def question(code, kind, position, **more):
    found = {
        "code": code,
        "type": kind,
        "position": position,
        "text": {one: f"{code} ({one})?" for one in LANGUAGES},
    }
    if kind != "text":
        labels = [f"Label {i + 1}" for i in range(_COUNTS[kind])]
        found["labels"] = dict.fromkeys(LANGUAGES, labels)
    found.update(more)
    return found


def national(idle_s=20):
    """The national set's shape: NPS, two of seven statements, PEI, thanks, complaint or idea, and words for it."""
    questions = [question("NPS", "nps", 0)]
    questions += [question(f"K{i + 1}", "agree5", i + 1) for i in range(7)]
    questions += [
        question("PEI", "pei", 8),
        question("KTI", "choice", 9, several=True),
        question("OPEN", "text", 10, when={"question": NPS, "values": list(range(7))}),
        question("CHILD", "smiley4", 11),
        question("KIN", "smiley5", 12),
        question("WHO", "choice", 13, cant_say=True),
    ]
    rotated = {"rotate": list(range(FIRST_K, FIRST_K + 7)), "take": 2}
    return {
        "number": 7,
        "name": "National",
        "languages": LANGUAGES,
        "questions": questions,
        "flows": [
            {"kind": "visitor", "ask": [NPS, rotated, PEI, KTI, OPEN]},
            {"kind": "child", "ask": [CHILD, KTI]},
            {"kind": "kin", "ask": [KIN, 13, OPEN, FIRST_K]},
        ],
        "thanks": {"fi": "Kiitos!", "sv": "Tack!", "en": "Thank you!"},
        "idle_s": idle_s,
        "words": {key: {one: f"{key} {one}" for one in LANGUAGES} for key in WORDS.split()},
    }
