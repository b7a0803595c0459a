"""The texts of the screens that may be shown without a question set, and what languages call themselves.

Knows no question set. Invariant: each text is in Finnish, Swedish and English, in this order; a screen shows all three.
"""

LANGUAGES = {
    "fi": "Suomi",
    "sv": "Svenska",
    "en": "English",
    "sme": "Davvisámegiella",
    "smn": "Anarâškielâ",
    "sms": "Nuõrttsääʹmǩiõll",
}
# page: (icon, texts). A patient has done nothing wrong on any of them, and is told so by the tone.
STATES = {
    "out": (
        "hand",
        (
            "Palautelaite ei ole nyt käytössä.",
            "Responsapparaten är inte i bruk just nu.",
            "This feedback point is not in use right now.",
        ),
    ),
    "full": (
        "cloud",
        (
            "Vastauksia ei voi nyt tallentaa. Kiitos, että yritit!",
            "Svar kan inte sparas just nu. Tack för att du försökte!",
            "Answers cannot be saved right now. Thank you for trying!",
        ),
    ),
    "wait": (
        "brush",
        (
            "Hetki vain, jatkamme pian.",
            "Ett ögonblick, vi fortsätter snart.",
            "One moment, we will be back soon.",
        ),
    ),
    "start": (
        "globe",
        (
            "Palautelaite käynnistyy.",
            "Responsapparaten startar.",
            "The feedback point is starting.",
        ),
    ),
}
