"""What a button kiosk demands of its view of a question set: a parsed object in, one sentence or nothing out.

Knows no file and no network. The same rules hold at publishing; here they protect a kiosk from a server's
fault.
"""

from kiosk.compat import const

SCALES = {"smiley4": 4, "smiley5": 5, "agree5": 5}
_MOST_QUESTIONS = const(8)


def fault(view, faces):
    """What is wrong with `view` for a kiosk of `faces` buttons, or None."""
    if not isinstance(view, dict):
        return "question set: not an object"
    number = view.get("number")
    if not _whole(number, 65_535):
        return "question set: number %r is not 0 to 65535" % (number,)
    reason = _fault(view, faces)
    return None if reason is None else "question set %d: %s" % (number, reason)


def _fault(view, faces):
    languages = view.get("languages")
    if not isinstance(languages, list) or not languages or not all(_text(code) for code in languages):
        return "no languages"
    questions = view.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= _MOST_QUESTIONS:
        return "not 1 to %d questions" % _MOST_QUESTIONS
    button = view.get("button")
    position = button.get("question") if isinstance(button, dict) else None
    found = 0
    for question in questions:
        reason = _question_fault(question, languages)
        if reason is not None:
            return reason
        if question["position"] == position:
            found += 1
            if SCALES[question["type"]] != faces:
                return "question '%s' has %d answers, this kiosk %d faces" % (
                    question["code"], SCALES[question["type"]], faces)  # fmt: skip
    if found != 1 or not _whole(position, 255):  # 3.0 equals 3, and no record takes it
        return "button.question %r is not the position of one question" % (position,)
    language = _missing(view.get("thanks"), languages)
    if language is not None:
        return "thanks has no text in '%s'" % language
    return None


def _question_fault(question, languages):
    if not isinstance(question, dict) or not _text(question.get("code")):
        return "a question has no code"
    code = question["code"]
    if not _whole(question.get("position"), 255):
        return "question '%s': position %r is not 0 to 255" % (code, question.get("position"))
    if not _text(question.get("type")) or question["type"] not in SCALES:
        return "question '%s': a button kiosk cannot ask type %r" % (code, question.get("type"))
    language = _missing(question.get("text"), languages)
    if language is not None:
        return "question '%s' has no text in '%s'" % (code, language)
    labels = question.get("labels")
    for language in languages:
        row = labels.get(language) if isinstance(labels, dict) else None
        count = SCALES[question["type"]]
        if not isinstance(row, list) or len(row) != count or not all(_text(label) for label in row):
            return "question '%s' has not %d labels in '%s'" % (code, count, language)
    return None


def _missing(texts, languages):
    """The first language that `texts` lacks, or None."""
    for language in languages:
        if not isinstance(texts, dict) or not _text(texts.get(language)):
            return language
    return None


def _text(value):
    return isinstance(value, str) and bool(value.strip())


def _whole(value, most):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
