"""Walking through a set's flow by touching its screens: the pages for published sets, and what a draft's shares.

Nothing is kept: the walk travels in the form. It works without JavaScript: the picture is an `<input type="image">`,
and every place to touch is a button, too.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response

from fleet_server.accounts.access import SignedIn
from fleet_server.questions import service
from fleet_server.questions.faults import called
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import CANT_SAY, LANGUAGES
from fleet_server.questions.views import view, view_faults
from fleet_server.refusals import N_
from fleet_server.screens import drawing
from fleet_server.screens.gallery import without_faulty_languages
from fleet_server.screens.targets import Target, name_of
from fleet_server.screens.walk import BadWalk, Here, Walk, answers, unpacked, walked
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from provisioning.models import MODELS

router = APIRouter(prefix="/question-sets", include_in_schema=False)

MODEL = "touch"
_SEEDS = 1_000
_ENDS = {1: N_("skipped"), 2: N_("left without an answer")}
_KINDS = {"visitor": N_("Visitors"), "child": N_("Children"), "kin": N_("Those close to a patient")}


@dataclass(frozen=True)
class Recorded:
    """One record that the kiosk would have written; `corrected`: a later one of the same question counts instead."""

    code: str
    answer: str
    language: str
    corrected: bool


@router.get("/{number}/walk")
def begin(
    request: Request,
    number: RowId,
    _person: SignedIn,
    session: ReadSession,
    language: Annotated[str, Query(max_length=3)] = "",
    kind: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The resting screen of a set, or the first one of a kind of visitor."""
    row = _row(session, number)
    body = service.body_of(row)
    return walk_page(request, body, beginning(body, language, kind), **_of_set(row))


@router.post("/{number}/walk")
def go_on(
    request: Request,
    number: RowId,
    _person: SignedIn,
    session: ReadSession,
    walk: Annotated[str, Form(max_length=6_000)] = "",
    do: Annotated[str, Form(max_length=100)] = "",
    x: Annotated[int | None, Form(alias="touch.x")] = None,
    y: Annotated[int | None, Form(alias="touch.y")] = None,
) -> Response:
    """One touch further."""
    row = _row(session, number)
    body = service.body_of(row)
    return walk_page(request, body, stepped(request, body, walk, do, x, y), **_of_set(row))


@router.get("/{number}/walk.png")
def picture(
    request: Request,
    number: RowId,
    _person: SignedIn,
    session: ReadSession,
    walk: Annotated[str, Query(max_length=6_000)] = "",
) -> Response:
    """The screen to which a walk has come."""
    return walk_picture(request, service.body_of(_row(session, number)), walk)


def beginning(body: dict[str, Any], language: str, kind: str) -> Walk:
    """A walk that begins in a language, as a kind of visitor."""
    laid_out = _view(body)
    languages = laid_out["languages"] if laid_out else []
    walk = Walk(
        language=languages.index(language) if language in languages else 0, seed=secrets.randbelow(_SEEDS)
    )
    return walk.then("kind", kind) if kind in _KINDS and kind != "visitor" else walk


def stepped(
    request: Request, body: dict[str, Any], packed: str, do: str, x: int | None, y: int | None
) -> Walk:
    """The walk with what was touched; raises HTTPException 422 for what no page of ours sent."""
    laid_out, walk = _view(body), _unpacked(packed)
    if laid_out is None:
        return walk
    if x is not None and y is not None:
        widget = walked(laid_out, walk, phone=_phone(request)).page.hit(x, y)
        return walk.then(*(widget.action if widget is not None else ("touch",)))
    if do in ("gone", "touch"):
        return walk.then(do)
    if do.isascii() and do.isdigit():  # the number of a place to touch
        targets = _targets(walked(laid_out, walk, phone=_phone(request)))
        if int(do) < len(targets):
            return walk.then(*targets[int(do)].action)
    raise HTTPException(422, "no place to touch was sent")


def walk_page(request: Request, body: dict[str, Any], walk: Walk, **context: Any) -> Response:
    """The page of a walk. `context`: base (its address), name, crumbs, noted."""
    laid_out = _view(body)
    if laid_out is None:
        faults = faults_of(body) or view_faults(body, MODEL)
        context["faults"] = [said(called(fault, context["name"])) for fault in faults]
        return render(request, "questions/walk.html", here=None, **context)
    here = walked(laid_out, walk, phone=_phone(request))
    code = laid_out["languages"][here.language]
    targets = _targets(here)
    offered = [flow["kind"] for flow in laid_out["flows"]]
    return render(
        request,
        "questions/walk.html",
        here=here,
        faults=[],
        walk=walk.packed(),
        full=walk.full,
        size=_size(),
        code=code,
        targets=[
            (name_of(one, laid_out, here.scene.get("question"), code), one.action[0]) for one in targets
        ],
        recorded=_recorded(here, body, laid_out),
        languages=[(one, _(LANGUAGES[one])) for one in laid_out["languages"]],
        kinds=[(kind, _(text)) for kind, text in _KINDS.items() if kind in offered],
        begun=laid_out["languages"][min(walk.language, len(laid_out["languages"]) - 1)],
        thanks=here.scene["page"] == "thanks",
        **context,
    )


def walk_picture(request: Request, body: dict[str, Any], packed: str) -> Response:
    """The PNG of a walk's screen."""
    laid_out = _view(body)
    if laid_out is None:
        raise HTTPException(404)
    here = walked(laid_out, _unpacked(packed), phone=_phone(request))
    return Response(drawing.picture(here.page, MODEL), media_type="image/png")


def thanked(request: Request, body: dict[str, Any], walk: Walk) -> bool:
    """Whether a walk has come to a thank-you page."""
    laid_out = _view(body)
    return laid_out is not None and walked(laid_out, walk, phone=_phone(request)).thanked


def _size() -> tuple[int, int]:
    """Width and height of the picture in pixels."""
    return MODELS[MODEL].size or (0, 0)


def _view(body: dict[str, Any]) -> dict[str, Any] | None:
    """What a touchscreen would get, in the languages without a fault; None when it cannot ask anything of it."""
    shown = without_faulty_languages(body) if faults_of(body) else body
    if not shown or view_faults(shown, MODEL):
        return None
    return view(shown, MODEL)


def _unpacked(packed: str) -> Walk:
    try:
        return unpacked(packed)
    except BadWalk as bad:
        raise HTTPException(422, f"the walk {bad}") from None


def _phone(request: Request) -> bool:
    return bool(request.app.state.settings.public_address)


def _targets(here: Here) -> list[Target]:
    found = [Target(tuple(one.action), *one.area) for one in here.page.widgets if one.action is not None]
    by_action = {target.action: target for target in sorted(found, key=lambda one: (one.y, one.x))}
    return list(by_action.values())


def _recorded(here: Here, body: dict[str, Any], laid_out: dict[str, Any]) -> list[Recorded]:
    by_position = {question["position"]: question for question in laid_out["questions"]}
    last = {record[0]: number for number, record in enumerate(here.records)}
    return [
        Recorded(
            code=by_position[position]["code"],
            answer=_answer(by_position[position], value, flags, text, laid_out["languages"][language]),
            language=laid_out["languages"][language],
            corrected=last[position] != number,
        )
        for number, (position, language, value, flags, text) in enumerate(here.records)
    ]


def _answer(question: dict[str, Any], value: int, flags: int, text: str, language: str) -> str:
    if value == CANT_SAY and flags:
        return _(_ENDS[flags])
    if question["type"] == "text":
        return f"“{text}”"
    if value == CANT_SAY:
        return _("Can't say")
    if question["type"] == "nps":
        return str(value)
    labels = question["labels"][language]
    if answers.several(question):
        return " · ".join(label for place, label in enumerate(labels) if value >> place & 1)
    return str(labels[answers.index(question, value)])


def _of_set(row: QuestionSet) -> dict[str, Any]:
    return {
        "base": f"/question-sets/{row.number}/walk",
        "name": row.name,
        "crumbs": [
            ("/question-sets", _("Question sets")),
            (f"/question-sets/{row.number}", f"{row.number} · {row.name}"),
        ],
        "noted": False,
    }


def _row(session: ReadSession, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row
