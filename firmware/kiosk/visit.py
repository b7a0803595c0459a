"""One visitor after another at a touchscreen: actions and time in, what to show and what to record out.

Knows no pixel, no journal and no clock but the ticks it is given. Invariants: every page ends by itself; what one
visitor gave, typed or chose is gone with the visit; a visit in which nothing was answered leaves nothing.
"""

from kiosk import answers
from kiosk.compat import const, ticks_add, ticks_diff
from kiosk.given import COMPLETE, SKIPPED, TIMED_OUT, Given
from kiosk.steps import Rotation, Steps
from kiosk.typed import LAYERS

MODES = ("contrast", "large", "low")
TYPING = ("key", "rub", "caps", "layer")

_WARNING_S = const(10)  # of countdown, or half of a shorter time
_PHONE_S = const(60)  # to find the phone, open its camera and aim
_THANKS_MS = const(8000)
_THANKS_QR_MS = const(15000)  # with an offer to go on
_THANKS_LEAST_MS = const(1500)  # the touch that ended the visit may come double


class Visit:
    """`view`: a touch kiosk's view of a question set, without fault. `random(n)`: n random bytes.

    `setting(name)`: `language` that a visit begins in, `qr` or None. `.language`, `.mode`: what the visitor chose.
    """

    def __init__(self, view, random, setting, now_ms):
        self.view = view
        self._setting = setting
        self._rotation = Rotation(random)
        self._given = Given(view["questions"])
        self.reset(now_ms)

    def reset(self, now_ms):
        """The next visitor: nothing of the one before is left."""
        self._begin(self.view["flows"][0], now_ms)
        self._fall_back()  # last: should it fail, `look` makes up for it

    @property
    def page(self):
        return self._page

    @property
    def place(self):
        """(page, question on it or None): what of a scene decides what a touch means."""
        page = self._page
        return page, self._steps.question if page in ("rest", "ask", "text") else None

    @property
    def written(self):
        """Bytes of text on the page."""
        return self._given.typed.used

    @property
    def idle(self):
        """Nobody is there, as far as can be known."""
        return self._page == "rest" and not self._touched

    def look(self):
        """Between visits: the county may have set another language meanwhile."""
        if self.idle:
            self._fall_back()

    def refused(self, now_ms):
        """What was to be recorded could not be: the visit is over, and says so until `reset`."""
        self._page = "full"  # first: without memory even the rest may fail
        self.reset(now_ms)
        self._page = "full"

    def act(self, action, now_ms):
        """The visitor touched something that means `action`. Returns an entry to be recorded, or None.

        What makes no sense on this page changes nothing but the time that is left. After a MemoryError on TYPING
        `written` tells whether anything was changed.
        """
        self._touched_ms = now_ms
        if self._page == "full":
            return None
        self._touched = True
        name = action[0]
        if name == "language":
            if 0 <= action[1] < len(self.view["languages"]):
                self.language = action[1]
        elif name == "mode":
            self._switch(action[1])
        elif name == "phone":
            if self._page != "phone" and self._setting("qr") is not None:
                self._before, self._page = self._page, "phone"
        elif self._page == "thanks":
            if name in ("leave", "next", "back"):
                self.reset(now_ms)
        elif self._page == "phone":
            return self._on_phone(name, now_ms)
        elif self._page == "text":
            return self._on_text(action, now_ms)
        else:
            return self._on_question(action, now_ms)
        return None

    def touch(self, now_ms):
        """A touch that means nothing says that somebody is there; on the thank-you that it was read."""
        if self._page == "thanks":
            if ticks_diff(now_ms, self._touched_ms) >= _THANKS_LEAST_MS:
                self.reset(now_ms)
        elif self._touched:
            self._touched_ms = now_ms

    def tick(self, now_ms):
        """What time does. Returns an entry to be recorded, or None."""
        return None if self._ends_in(now_ms) > 0 else self.end(now_ms)

    def end(self, now_ms):
        """Nobody is there any more. Returns an entry to be recorded, or None: what was begun, marked as timed out."""
        entry = None
        if self._page not in ("rest", "thanks", "full"):
            entry = self._leave(TIMED_OUT)
        self.reset(now_ms)
        return entry

    def due_ms(self, now_ms):
        """Milliseconds until `tick` or the scene has something new, None when only a touch brings it."""
        if self._page == "full" or self.idle:
            return None
        left = self._ends_in(now_ms)
        if self._page != "thanks":
            warning = self._warning_ms()
            if left > warning:
                return left - warning
            left = left % 1000 or min(left, 1000)  # the next second of the countdown
        return max(0, left)

    def scene(self, now_ms):
        """What is to be seen: see the pages' `build`."""
        page = self._page
        scene: dict = {"page": page}
        qr = self._setting("qr")
        if qr is not None and page != "full":
            scene["qr"], scene["qr_rows"] = qr["text"], qr["rows"]
        if page == "full":
            return scene
        if page == "rest":
            scene["kinds"] = [flow["kind"] for flow in self.view["flows"] if flow is not self._flow]
        if page in ("rest", "ask", "text"):
            scene["question"] = self._steps.question
            scene["step"], scene["steps"] = self._steps.progress()
            if page == "text":
                typed = self._given.typed
                scene["text"], scene["caps"], scene["layer"] = typed.text, typed.caps, typed.layer
            else:
                scene["chosen"] = self._given.chosen()
        if page in ("ask", "text"):
            scene["back"] = not self._steps.first or (
                self._flow is not self.view["flows"][0] and not self._given.any
            )
        elif page == "phone":
            scene["back"] = True
        scene["leave"] = page in ("ask", "text", "phone") and (self._given.any or self._given.stands())
        left = self._ends_in(now_ms)
        if page != "thanks" and not self.idle and left <= self._warning_ms():
            scene["left"] = max(0, left + 999) // 1000
        return scene

    # Pages

    def _on_question(self, action, now_ms):
        name = action[0]
        if name == "answer":
            self._given.language = self.language
            entry = self._given.answer(action[1])
            if entry is False:
                return None
            self._forward(now_ms)
            return entry
        if name == "toggle":
            if self._given.tick(action[1]):
                self._page = "ask"
        elif name == "kind":
            if self._page == "rest":
                for flow in self.view["flows"]:
                    if flow["kind"] == action[1]:
                        self._begin(flow, now_ms)
                        self._page, self._touched = "ask", True
                        break
        elif self._page == "ask":
            return self._on_way(name, now_ms)
        return None

    def _on_text(self, action, now_ms):
        name, typed = action[0], self._given.typed
        if name == "key":
            typed.add(action[1])
        elif name == "rub":
            typed.rub()
        elif name == "caps":
            typed.caps = not typed.caps
        elif name == "layer":
            if 0 <= action[1] < LAYERS:
                typed.layer = action[1]
        else:
            return self._on_way(name, now_ms)
        return None

    def _on_phone(self, name, now_ms):
        if name == "back":
            self._page = self._before
        elif name in ("leave", "next"):
            self._page = self._before
            if self._page in ("ask", "text"):
                return self._on_way("leave", now_ms)
            self.reset(now_ms)
        return None

    def _on_way(self, name, now_ms):
        """Forth, back and out, from a question that is being answered."""
        if name == "back":
            return self._back(now_ms)
        if name not in ("next", "skip", "leave"):
            return None
        if name == "skip":
            self._given.take_back()
        entry = self._leave(COMPLETE if name == "leave" else SKIPPED)
        if name == "leave":
            self._finish(now_ms)
        else:
            self._forward(now_ms)
        return entry

    def _back(self, now_ms):
        if self._steps.first:
            if self._flow is not self.view["flows"][0] and not self._given.any:
                self._begin(self.view["flows"][0], now_ms)
                self._touched = True
            return None
        entry = self._leave(COMPLETE)
        self._steps.back()
        self._enter()
        return entry

    def _forward(self, now_ms):
        if not self._steps.forward():
            self._finish(now_ms)
            return
        if self._given.any:
            self._steps.count()
        self._enter()

    def _finish(self, now_ms):
        if self._given.any:
            self._page = "thanks"
            self._given.forget()
        else:
            self.reset(now_ms)

    # State

    def _fall_back(self):
        language = self._setting("language")
        self.language = language if language < len(self.view["languages"]) else 0
        self.mode: tuple = ()

    def _begin(self, flow, now_ms):
        steps = Steps(flow["ask"], self.view["questions"], self._rotation)
        self._given.begin(steps)
        self._steps = steps
        self._flow = flow
        self._before = "rest"
        self._touched = False
        self._touched_ms = now_ms
        self._page = "rest"

    def _enter(self):
        self._given.enter()
        text = self.view["questions"][self._steps.question]["type"] == answers.TEXT
        self._page = "text" if text else "ask"

    def _leave(self, flags):
        self._given.language = self.language
        return self._given.leave(flags)

    def _switch(self, name):
        if name in MODES:
            self.mode = tuple([one for one in MODES if (one in self.mode) != (one == name)])

    def _whole_ms(self):
        if self._page == "thanks":
            return _THANKS_MS if self._setting("qr") is None else _THANKS_QR_MS
        idle_s = self.view["idle_s"]
        return 1000 * (max(idle_s, _PHONE_S) if self._page == "phone" else idle_s)

    def _warning_ms(self):
        whole = self._whole_ms()
        return min(1000 * _WARNING_S, whole // 2)

    def _ends_in(self, now_ms):
        if self._page == "full" or self.idle:
            return 1 << 28
        return ticks_diff(ticks_add(self._touched_ms, self._whole_ms()), now_ms)
