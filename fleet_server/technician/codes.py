"""What a kiosk shows on the spot, in words: its lights, tunes and screens, what each means, and what to do.

Held equal to the firmware by a test: every tune and every calm screen is explained here, and nothing that it has not.
"""

from dataclasses import dataclass

from fleet_server import screens  # noqa: F401  (puts the firmware's folder on the path)
from fleet_server.refusals import N_

from screens.words import STATES  # isort: skip


@dataclass(frozen=True)
class Code:
    """`sign`: what is seen or heard; `tune`, `screen` and `corner`: the firmware's names, '' when there is none.

    `texts`: what the screen says in Finnish, Swedish and English."""

    sign: str
    meaning: str
    advice: str = ""
    tune: str = ""
    screen: str = ""
    corner: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands on the screen."""
        return tuple(STATES[self.screen][1]) if self.screen else ()


@dataclass(frozen=True)
class Kind:
    """The codes of one kind of kiosk, or of all."""

    name: str
    title: str
    codes: tuple[Code, ...]


_FULL = N_(
    "Look at the kiosk's page. A full journal empties itself once the server is reached; otherwise have it "
    "harvested."
)
_BUTTONS = (
    Code(
        N_("The pressed button lights up, then all of them for a moment; two rising tones"),
        N_("The answer is stored for good, and counts once."),
        tune="thanks",
    ),
    Code(
        N_("The pressed button lights up and goes out; one low tone"),
        N_("The answer could not be stored and is not counted: the journal is full, or the flash is faulty."),
        _FULL,
        tune="refused",
        screen="full",
    ),
    Code(
        N_("No light; one low tone"),
        N_("The kiosk has no questions to ask."),
        N_("Have a question set published to it. If one is, the kiosk has not reached the server yet."),
        tune="refused",
        screen="out",
    ),
    Code(
        N_("No light and no tone"),
        N_("The press came too soon after another one, or the kiosk is being cleaned."),
        N_("Cleaning ends by itself one minute after the last touch."),
        screen="wait",
    ),
    Code(
        N_("Three rising tones while the two outer buttons are held for 5 seconds"),
        N_("The printed card was changed; the new question is asked from now on."),
        tune="card",
    ),
    Code(
        N_("Two short low tones"),
        N_("A button is stuck; its page says which."),
        N_("Free the button. The others go on working."),
        tune="fault",
    ),
    Code(
        N_("The state in words, after both buttons next to the outer ones were held for 4 seconds"),
        N_(
            "The service page: it counts no answer and shows no secret. A kiosk with a printed card answers with its "
            "lights, from the left: network, server, clock, all answers sent, nothing wrong (with four buttons "
            "the last two in one). A steady light is well, a blinking one is not."
        ),
        N_("It ends after a minute, or with the next press, which is not counted."),
    ),
    Code(
        N_("The small light inside the case is on"),
        N_("All is well: the kiosk is connected to the server and knows the time."),
    ),
    Code(
        N_("The small light inside the case is off"),
        N_("No power. Answers that were thanked for are kept."),
        N_("Press a button: if it lights up, there is power, and the small light or its wire is broken."),
    ),
)
# The same on every kiosk: the blinks of the light inside a button kiosk's case, the sign in a corner of the display.
_SIGNS = (
    Code(
        N_("1 blink, pause; a struck-through plug"),
        N_("No network. Answers are stored all the same and sent later."),
        N_("Look at the network cable, or whether there is radio here and its key is right."),
        corner="link",
    ),
    Code(
        N_("2 blinks, pause; a struck-through cloud"),
        N_(
            "There is a network, but the server does not answer. Answers are stored all the same and sent later."
        ),
        N_(
            "Look at the address of the broker on the service page, and ask whether a firewall is in between."
        ),
        corner="server",
    ),
    Code(
        N_("3 blinks, pause; a question mark in a clock"),
        N_("The time is not known. It comes with the first reply of the server; answers get theirs then."),
        corner="clock",
    ),
    Code(
        N_("4 blinks, pause; an arrow up out of a tray"),
        N_("Answers have waited for more than five minutes to be sent."),
        N_("Do not erase this kiosk. If it has a server, look at its page; otherwise have it harvested."),
        corner="waiting",
    ),
    Code(
        N_("5 blinks, pause; an arrow that goes round"),
        N_(
            "An update: a new question set is being fetched or waits for its printed card, or other network settings "
            "are being tried."
        ),
        N_("Leave it switched on. When it waits for a card, change the card and confirm it."),
        corner="update",
    ),
    Code(
        N_("6 blinks, pause; a warning triangle"),
        N_(
            "A fault: a button or the screen is held down, a part does not answer, or answers cannot be stored."
        ),
        N_("The service page says which. It is shown before every other sign."),
        corner="fault",
    ),
)
_TOUCH = (
    Code(
        N_("The page of thanks; two rising tones"),
        N_("The answers are stored for good, and count once."),
        tune="thanks",
    ),
    Code(
        N_("This page"),
        N_("It has just been switched on."),
        N_("Wait a minute. If it stays, it has no questions yet."),
        screen="start",
    ),
    Code(
        N_("This page"),
        N_("The kiosk has no questions to ask."),
        N_("Have a question set published to it. If one is, the kiosk has not reached the server yet."),
        screen="out",
    ),
    Code(
        N_("This page; one low tone"),
        N_("The answer could not be stored and is not counted: the journal is full, or the flash is faulty."),
        _FULL,
        tune="refused",
        screen="full",
    ),
    Code(
        N_("This page"),
        N_("It is being cleaned: touches are ignored."),
        N_(
            "It ends by itself one minute after the last touch, or when the time ordered on its page is over."
        ),
        screen="wait",
    ),
    Code(
        N_(
            "The state in words, after the upper right corner was held for 3 seconds and the upper left one touched"
        ),
        N_("The service page: it counts no answer and shows no secret."),
        N_("It ends after a minute, or with the next touch."),
    ),
    Code(
        N_("Two short low tones"),
        N_("Something lies on the screen, or its touch panel does not answer."),
        N_("Wipe the screen and take away what touches it. If it goes on, exchange the kiosk."),
        tune="fault",
    ),
)


def codes() -> tuple[Kind, ...]:
    """All there is to see and hear, by kind of kiosk."""
    return (
        Kind("button", N_("Button kiosk"), _BUTTONS),
        Kind("touch", N_("Touch kiosk"), _TOUCH),
        Kind("signs", N_("Every kiosk: its small light, and the sign in a corner of its display"), _SIGNS),
    )
