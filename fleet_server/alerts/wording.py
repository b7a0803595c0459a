"""Alerts and watches as sentences, in the language of the request or mail. It reads no table and decides nothing."""

import json
from typing import Any, NamedTuple

from fleet_server.alerts.models import FALL, LOW
from fleet_server.alerts.service import Told, Watched
from fleet_server.instants import local
from fleet_server.questions.reading import languages_of, text_in
from fleet_server.results.items import HEADLINES
from fleet_server.results.models import Series
from fleet_server.results.paper import title_of
from fleet_server.results.subjects import Subject
from fleet_server.web.i18n import _, language, ngettext
from fleet_server.web.templating import date, number, when


class Words(NamedTuple):
    """An alert: where, in one sentence, and what stands behind it. `question` is empty for a silence."""

    where: str
    question: str
    title: str
    detail: str


def words(told: Told) -> Words:
    """What an alert says."""
    where = title_of(told.watched.subject)
    if told.series is not None:
        title, detail = _of_score(told.watched.watch.kind, told.series, told.facts)
        return Words(where, question(told.series), title, detail)
    if told.place is not None and told.watched.subject.place is None:
        where = f"{where} · {told.place.name}"
    return Words(where, "", *_of_silence(told.facts))


def question(series: Series) -> str:
    """A question in the reader's language, or the first that it has."""
    body: dict[str, Any] = json.loads(series.body)
    shown = next((one for one in (language(), *languages_of(body)) if text_in(body, one)), language())
    return text_in(body, shown) or series.code


def path_of(subject: Subject, told: Told) -> str:
    """Where to look closer: the results of the subject; the volumes of the place that is silent."""
    return f"/places/{told.place.id}" if told.place is not None else subject.address


def condition(watched: Watched) -> str:
    """When a watch gives an alert."""
    watch = watched.watch
    if watch.kind == LOW:
        sentence = {
            (1, True): _("below %(limit)s in the last week, with its whole 95 %% interval"),
            (1, False): _("below %(limit)s in the last week"),
            (4, True): _("below %(limit)s in the last 4 weeks, with its whole 95 %% interval"),
            (4, False): _("below %(limit)s in the last 4 weeks"),
        }[watch.weeks, watch.sure]
        kind = watched.series.type if watched.series else "nps"
        return sentence % {"limit": shown(kind, watch.threshold)}
    if watch.kind == FALL:
        return (
            _("lower in the last week than in the 13 weeks before, beyond chance")
            if watch.weeks == 1
            else _("lower in the last 4 weeks than in the 13 weeks before, beyond chance")
        )
    return ngettext("no press in %(num)s opening hour", "no press in %(num)s opening hours", watch.hours) % {
        "num": watch.hours
    }


def shown(kind: str, value: float) -> str:
    """A headline as the pages show it: points of an NPS, else percent."""
    return number(round(value)) if kind == "nps" else f"{number(round(value))} %"


def _of_score(kind: str, series: Series, facts: dict[str, Any]) -> tuple[str, str]:
    names = {"figure": _(HEADLINES[series.type]), "now": shown(series.type, facts["value"])}
    figures = _("%(since)s to %(until)s: %(now)s (95 %% interval %(range)s, n = %(n)s).")
    detail = figures % _estimate(series.type, facts, facts["start"], facts["stop"])
    if kind == LOW:
        limit = shown(series.type, facts["threshold"])
        return _("%(figure)s: %(now)s is below %(limit)s") % (names | {"limit": limit}), detail
    before = facts["before"]
    title = _("%(figure)s: %(before)s has become %(now)s") % (
        names | {"before": shown(series.type, before["value"])}
    )
    earlier = figures % _estimate(series.type, before, facts["since"], facts["start"])
    parts = (detail, _("Before:"), earlier, _("The difference is beyond chance."))
    return title, " ".join(parts)


def _estimate(kind: str, estimate: dict[str, Any], start: int, stop: int) -> dict[str, str]:
    return {
        "since": date(start),
        "until": date(stop - 1),
        "now": shown(kind, estimate["value"]),
        "range": f"{number(round(estimate['low']))} … {shown(kind, estimate['high'])}",
        "n": number(estimate["n"]),
    }


def _of_silence(facts: dict[str, Any]) -> tuple[str, str]:
    moment, usual = local(facts["last"]), number(facts["usual"])
    # Of a press whose hour is not known the end of its day is kept.
    last = date(facts["last"] - 1) if (moment.hour, moment.minute) == (0, 0) else when(facts["last"])
    if facts["offline"]:
        title = (
            _("The kiosk has not been heard of since %(instant)s") % {"instant": when(facts["contact"])}
            if facts["contact"]
            else _("The kiosk has never been heard of")
        )
        detail = _(
            "No press has come since %(instant)s. Presses may be waiting in the kiosk: they come, and count, once it "
            "is connected again."
        )
        return title, detail % {"instant": last}
    detail = ngettext(
        "%(num)s opening hour has gone by; about %(usual)s presses would be usual. The kiosk is connected: look "
        "whether it can be seen, reached and used.",
        "%(num)s opening hours have gone by; about %(usual)s presses would be usual. The kiosk is connected: look "
        "whether it can be seen, reached and used.",
        facts["hours"],
    )
    return _("Nobody has pressed since %(instant)s") % {"instant": last}, detail % {
        "num": facts["hours"],
        "usual": usual,
    }
