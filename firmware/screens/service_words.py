"""The words of the service page in Finnish, Swedish and English, and its lines from a kiosk's facts. Knows no layout.

Invariant: every key has all three languages; what a kiosk does not know is said, not left out.
"""

CODES = ("fi", "sv", "en")
_WORDS = {
    "network": ("Verkko", "Nätverk", "Network"),
    "server": ("Palvelin", "Server", "Server"),
    "clock": ("Kello", "Klocka", "Clock"),
    "waiting": ("Lähettämättä", "Ej skickat", "Unsent"),
    "set": ("Kysymykset", "Frågor", "Questions"),
    "device": ("Laite", "Apparat", "Device"),
    "version": ("Ohjelma", "Program", "Firmware"),
    "settings": ("Asetukset", "Inställningar", "Settings"),
    "fault": ("Viimeisin vika", "Senaste fel", "Last fault"),
    "no-network": ("ei verkkoa", "inget nätverk", "no network"),
    "eth": ("kaapeli", "kabel", "cable"),
    "wifi": ("Wi-Fi", "Wi-Fi", "Wi-Fi"),
    "up": ("yhteys", "ansluten", "connected"),
    "online": ("yhteys", "ansluten", "connected"),
    "offline": ("ei vastaa", "svarar inte", "no answer"),
    "unknown": ("ei tiedossa", "okänd", "not known"),
    "nothing": ("ei mitään", "inget", "nothing"),
    "none": ("ei ole", "saknas", "none"),
    "fetch": ("uusi on tulossa", "ny är på väg", "a new set is coming"),
    "card": ("uusi odottaa korttia", "ny väntar på kort", "a new set waits for its card"),
    "trying": ("verkkoa kokeillaan", "nätverket prövas", "network on trial"),
    "kept": ("uusi verkko käytössä", "nytt nätverk i bruk", "new network in use"),
    "back": ("palattiin entiseen verkkoon", "tillbaka till förra nätverket", "went back to the old network"),
    "end": ("Kosketus sulkee", "Tryck stänger", "Touch to close"),
    "press": ("Painallus sulkee", "Tryck stänger", "Press to close"),
}


def word(key, language):
    """`key` in a language by code; Finnish for any other."""
    return _WORDS[key][CODES.index(language) if language in CODES else 0]


def title(facts):
    """What the kiosk is called: by its name where it has one."""
    return facts["name"] or facts["id"]


def lines(facts, language):
    """[(key of the sign or "", what it is, how it is)] from the facts of kiosk/service.py."""

    def say(key):
        return word(key, language)

    status = facts["status"]
    lost = status == "no-network"
    network = [say(facts["kind"])] if facts["kind"] in ("eth", "wifi") else []
    network.append(say("no-network" if lost else "up"))
    if facts["signal"] is not None:
        network.append("%d dBm" % facts["signal"])
    server = [say("offline" if lost else status), facts["host"]]
    waiting = facts["waiting"]
    asked = "none" if facts["set"] is None else ""
    questions = [say(asked) if asked else "%d" % facts["set"]]
    if facts["update"]:
        questions.append(say(facts["update"]))
    settings = say(facts["trial"] or "none")
    if facts["settings"] and not facts["trial"]:
        settings = stamp(facts["settings"])
    clock = facts["clock"]
    return [
        ("link" if lost else "", say("network"), ", ".join(network)),
        ("server" if status == "offline" else "", say("server"), ", ".join(server)),
        ("clock" if clock is None else "", say("clock"), say("unknown") if clock is None else stamp(clock)),
        ("waiting" if waiting else "", say("waiting"), "%d" % waiting if waiting else say("nothing")),
        ("update" if facts["update"] else "", say("set"), ", ".join(questions)),
        ("", say("settings"), settings),
        ("", say("device"), "%s, %s" % (facts["id"], facts["model"])),
        ("", say("version"), "%s (%d)" % (facts["firmware"], facts["build"])),
        ("fault" if facts["alarm"] else "", say("fault"), facts["fault"] or say("none")),
    ]


def stamp(utc_ms):
    """UTC, as on labels and in logs: a kiosk has no rule of its own for summer time."""
    days, ms = divmod(utc_ms, 86_400_000)
    # Days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    days += 719_468
    era, day = divmod(days, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (month <= 2)
    minutes = ms // 60_000
    return "%04d-%02d-%02d %02d:%02d UTC" % (year, month, day, minutes // 60, minutes % 60)
