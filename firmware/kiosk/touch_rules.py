"""What a touch kiosk demands of its view of a question set: a parsed object in, one sentence or nothing out.

Knows no file and no network. The same rules hold at publishing; here they protect a kiosk from a server's fault:
what passes can be shown and asked to its end.
"""

from kiosk.compat import const

_LABELS = {"smiley4": 4, "smiley5": 5, "agree5": 5, "pei": 3, "nps": 2, "text": 0}
_MOST_QUESTIONS = const(32)
_MOST_OPTIONS = const(6)
_MOST_ROTATED = const(10)
_KINDS = ("visitor", "child", "kin")
_IDLE_S = (10, 120)
# Those that a page cannot do without; a word that is missing leaves its button to the picture.
_WORDS = ("skip", "back", "next", "done", "leave", "stay", "countdown")


def fault(view):
    """What is wrong with `view`, or None."""
    if not isinstance(view, dict):
        return "question set: not an object"
    number = view.get("number")
    if not _whole(number, 0, 65_535):
        return "question set: number %r is not 0 to 65535" % (number,)
    reason = _fault(view)
    return None if reason is None else "question set %d: %s" % (number, reason)


def _fault(view):
    languages = view.get("languages")
    if (
        not isinstance(languages, list)
        or not 1 <= len(languages) <= 16
        or not all(_text(one) for one in languages)
    ):
        return "no languages"
    questions = view.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= _MOST_QUESTIONS:
        return "not 1 to %d questions" % _MOST_QUESTIONS
    for place, question in enumerate(questions):
        reason = _question_fault(question, place, questions, languages)
        if reason is not None:
            return reason
    reason = _flows_fault(view.get("flows"), questions)
    if reason is not None:
        return reason
    language = _missing(view.get("thanks"), languages)
    if language is not None:
        return "thanks has no text in '%s'" % language
    if not _whole(view.get("idle_s"), *_IDLE_S):
        return "idle_s %r is not %d to %d" % (view.get("idle_s"), _IDLE_S[0], _IDLE_S[1])
    words = view.get("words")
    if not isinstance(words, dict):
        return "no words"
    for key in _WORDS:
        language = _missing(words.get(key), languages)
        if language is not None:
            return "word '%s' has no text in '%s'" % (key, language)
    for key in words:
        if not isinstance(words[key], dict) or not all(isinstance(one, str) for one in words[key].values()):
            return "word '%s' is no object of texts" % key
    return None


def _question_fault(question, place, questions, languages):
    if not isinstance(question, dict) or not _text(question.get("code")):
        return "a question has no code"
    code = question["code"]
    if not _whole(question.get("position"), 0, 255):
        return "question '%s': position %r is not 0 to 255" % (code, question.get("position"))
    kind = question.get("type")
    if not isinstance(kind, str) or (kind != "choice" and kind not in _LABELS):
        return "question '%s': a touch kiosk cannot ask type %r" % (code, kind)
    language = _missing(question.get("text"), languages)
    if language is not None:
        return "question '%s' has no text in '%s'" % (code, language)
    for flag in ("several", "cant_say"):
        if not isinstance(question.get(flag, False), bool):
            return "question '%s': %s %r is not true or false" % (code, flag, question[flag])
    return _labels_fault(question, languages) or _when_fault(question, place, questions)


def _labels_fault(question, languages):
    code, kind, labels = question["code"], question["type"], question.get("labels")
    if kind == "text":
        return None
    count = None
    for language in languages:
        row = labels.get(language) if isinstance(labels, dict) else None
        if not isinstance(row, list) or not all(_text(label) for label in row):
            return "question '%s' has no labels in '%s'" % (code, language)
        if kind == "choice":
            if not 2 <= len(row) <= _MOST_OPTIONS or (count is not None and count != len(row)):
                return "question '%s' has not 2 to %d labels, the same number in each language" % (
                    code, _MOST_OPTIONS)  # fmt: skip
            count = len(row)
        elif len(row) != _LABELS[kind]:
            return "question '%s' has not %d labels in '%s'" % (code, _LABELS[kind], language)
    return None


def _when_fault(question, place, questions):
    when = question.get("when")
    if when is None:
        return None
    other = when.get("question") if isinstance(when, dict) else None
    if not _whole(other, 0, len(questions) - 1) or other == place:
        return "question '%s': when names no other question" % question["code"]
    values = when.get("values")
    if not isinstance(values, list) or not values or not all(_whole(value, 0, 255) for value in values):
        return "question '%s': when has no values from 0 to 255" % question["code"]
    return None


def _flows_fault(flows, questions):
    if not isinstance(flows, list) or not 1 <= len(flows) <= len(_KINDS):
        return "not 1 to %d flows" % len(_KINDS)
    known = []
    for flow in flows:
        kind = flow.get("kind") if isinstance(flow, dict) else None
        if kind not in _KINDS or kind in known:
            return "a flow's kind %r is not one of %s, each once" % (kind, ", ".join(_KINDS))
        known.append(kind)
        ask = flow.get("ask")
        if not isinstance(ask, list) or not ask or not _whole(ask[0], 0, len(questions) - 1):
            return "flow %s does not begin with a question" % kind
        first = questions[ask[0]]
        if first["type"] == "text" or first.get("when") is not None:
            return "flow %s begins with '%s', a text or a follow-up" % (kind, first["code"])
        asked = []
        for entry in ask:
            indexes = [entry]
            if isinstance(entry, dict):
                indexes = entry.get("rotate")
                if not isinstance(indexes, list) or not 1 <= len(indexes) <= _MOST_ROTATED:
                    return "flow %s rotates not 1 to %d questions" % (kind, _MOST_ROTATED)
                if not _whole(entry.get("take"), 1, len(indexes)):
                    return "flow %s takes %r of %d" % (kind, entry.get("take"), len(indexes))
            for index in indexes:
                if not _whole(index, 0, len(questions) - 1) or index in asked:
                    return "flow %s asks %r, no question of the set, or twice" % (kind, index)
                asked.append(index)
    return None


def _missing(texts, languages):
    """The first language that `texts` lacks, or None."""
    for language in languages:
        if not isinstance(texts, dict) or not _text(texts.get(language)):
            return language
    return None


def _text(value):
    return isinstance(value, str) and bool(value.strip())


def _whole(value, least, most):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
