"""What one visitor has given so far: chosen, ticked, typed; and what of it is to be recorded.

Knows no page and no time. Invariant: the last entry given out for a question is what the visitor sees as chosen there;
without any answer there is no entry.

An entry is (position, language, value, flags, body, mark). `mark` is [None, None] before the
visit's first record, then what the recorder knows it by; the recorder puts it there.
"""

from kiosk import answers
from kiosk.compat import const
from kiosk.typed import Typed

COMPLETE = const(0)  # how a question ended: bits 0-1 of a record's flags
SKIPPED = const(1)
TIMED_OUT = const(2)


class Given:
    """`questions` of a view. `.any`: something was answered. `.mask`: what is ticked, `.typed`: what is written on the
    page of now; neither is recorded before the visitor goes on."""

    def __init__(self, questions):
        self._questions = questions
        self.typed = Typed()
        self.forget()

    def forget(self):
        """The visit is over."""
        self.any = False
        self.mask = 0
        self.typed.clear()
        self.language = 0
        self._mark = [None, None]
        self._last = {}  # index of a question: (value, flags, body) of the last entry given out for it
        self._steps = None

    def begin(self, steps):
        """Follow these steps: their question, and their answers, which decide about follow-ups."""
        self.forget()
        self._steps = steps

    def enter(self):
        """The question of now comes onto the page as the visitor left it."""
        index = self._steps.question
        self.mask = 0
        self.typed.clear()
        if answers.several(self._questions[index]):
            value = self._steps.answers.get(index, 0)
            self.mask = 0 if value == answers.CANT_SAY else value
        elif index in self._last:
            self.typed.add(str(self._last[index][2], "utf-8"))

    def chosen(self):
        """What is marked on the page: an option, -1, a mask, or None."""
        index = self._steps.question
        question = self._questions[index]
        value = self._steps.answers.get(index)
        if self.mask or (answers.several(question) and value != answers.CANT_SAY):
            return self.mask or None
        return None if value is None else answers.index(question, value)

    def stands(self):
        """Whether something is ticked or written on the page."""
        return bool(self.mask) or bool(self.typed.body())

    def answer(self, option):
        """The entry for an option; False when the question offers no such."""
        question = self._questions[self._steps.question]
        value = answers.value(question, option)
        if value is None or (answers.several(question) and value != answers.CANT_SAY):
            return False
        self.mask = 0
        return self._note(value, COMPLETE, b"")

    def tick(self, option):
        """Take an option, or take it back; whether it is one of several."""
        question = self._questions[self._steps.question]
        if answers.several(question) and answers.value(question, option) == 1 << max(option, 0):
            self.mask ^= 1 << option
            return True
        return False

    def take_back(self):
        """Nothing is ticked or written any more."""
        self.mask = 0
        self.typed.clear()

    def leave(self, flags):
        """The entry, or None, for a question that is left as it stands. Without an answer it was SKIPPED or TIMED_OUT,
        which is recorded behind a visit's first answer only; COMPLETE: the visit ends here, or goes back."""
        if self._steps is None:
            return None  # after the thank-you
        entry = self.stored(TIMED_OUT if flags == TIMED_OUT else COMPLETE)
        if entry is None and flags != COMPLETE and self.any and self._steps.question not in self._last:
            entry = self._note(answers.CANT_SAY, flags, b"")
        return entry

    def stored(self, flags):
        """The entry, or None, for what is ticked or written and was not given out yet, or was taken back."""
        index = self._steps.question
        question = self._questions[index]
        last = self._last.get(index)
        if question["type"] == answers.TEXT:
            body = self.typed.body()
            if body:
                return self._note(0, flags, body)
        elif answers.several(question):
            if self.mask:
                return self._note(self.mask, flags, b"")
            if last is not None and last[0] == answers.CANT_SAY:
                return None
        else:
            return None
        return None if last is None or last[1] else self._note(answers.CANT_SAY, SKIPPED, b"")

    def _note(self, value, flags, body):
        """The entry for the question of now; None when that was the last one given out for it."""
        index = self._steps.question
        last = self._last.get(index)
        known = last is not None and last[0] == value and last[2] == body
        if known and (last[1] == flags or (last[1], flags) == (COMPLETE, TIMED_OUT)):
            return None
        self._last[index] = (value, flags, body)
        if value == answers.CANT_SAY and flags:
            self._steps.answers.pop(index, None)
        else:
            self._steps.answers[index] = value
            self.any = True
        self._steps.count()
        return self._questions[index]["position"], self.language, value, flags, body, self._mark
