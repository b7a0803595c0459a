"""What is answered when something is wrong: a page in the person's language, or JSON below /api/."""

import json
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from fleet_server.accounts.access import NotAllowed, SignInNeeded
from fleet_server.api.codes import code_of
from fleet_server.refusals import N_, Hindered, Refused, shown
from fleet_server.web.forms import KEPT_FIELDS, KEPT_FORMS, messages, said
from fleet_server.web.i18n import _
from fleet_server.web.security import HEADERS
from fleet_server.web.templating import render

log = logging.getLogger("hymio.web")


_TEXTS = {
    400: (N_("That request cannot be understood"), N_("Go back and try again.")),
    403: (
        N_("You may not do this"),
        N_("Your role does not include this page or this unit. An administrator can change that."),
    ),
    404: (N_("There is no such page"), N_("It may have been removed, or the address has a mistake in it.")),
    405: (N_("That request cannot be understood"), N_("Go back and try again.")),
    409: (
        N_("Somebody else changed this at the same time"),
        N_("Nothing was saved. Go back, look at it anew and try again."),
    ),
    413: (N_("That is too large"), N_("Nothing was saved.")),
    422: (N_("That request cannot be understood"), N_("Go back and try again.")),
    500: (
        N_("Something went wrong here"),
        N_("Nothing was saved. It has been logged; trying again may help."),
    ),
}


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(SignInNeeded, _sign_in_needed)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Hindered, _hindered)
    app.add_exception_handler(IntegrityError, _conflict)
    app.add_exception_handler(Exception, _fault)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _answer(request: Request, status: int, detail: str | None = None, **more: Any) -> Response:
    title, text = _TEXTS.get(status, _TEXTS[400 if status < 500 else 500])
    if _is_api(request):
        return JSONResponse({"error": detail or title, "code": code_of(status), **more}, status)
    return render(request, "error.html", status, status=status, title=_(title), text=_(text), detail=detail)


async def _sign_in_needed(request: Request, error: Exception) -> Response:
    if _is_api(request):
        return JSONResponse(
            {"error": "sign in, or send a token: Authorization: Bearer hymio_…", "code": code_of(401)},
            401,
            {"WWW-Authenticate": "Bearer"},
        )
    if (
        request.headers.get("sec-fetch-mode", "navigate") != "navigate"
    ):  # a page's script, which cannot show a form
        return Response(status_code=401)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "POST" and wanted.startswith(KEPT_FORMS):
        return await _keep_form(request, wanted)
    follow = f"?next={quote(wanted, safe='/')}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/sign-in{follow}", 303)


async def _keep_form(request: Request, wanted: str) -> Response:
    """The sign-in with all that was typed in it, to be sent again afterwards: hours may lie between two sendings."""
    try:
        form = await request.form(max_fields=KEPT_FIELDS)
    except HTTPException:
        form = FormData()
    kept = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if not kept:
        return RedirectResponse("/sign-in", 303)
    typed = {"next": wanted, "kept": json.dumps(kept)}
    return render(request, "accounts/sign_in.html", 401, typed=typed, errors={})


async def _not_allowed(request: Request, error: Exception) -> Response:
    return _answer(request, 403)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    own_text = None if error.detail in {phrase.phrase for phrase in HTTPStatus} else error.detail
    answer = _answer(request, error.status_code, own_text)
    answer.headers.update(error.headers or {})
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place, *names = first["loc"]
    name, value = ".".join(str(part) for part in names), shown(str(first.get("input")))
    if _is_api(request):
        faults = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
        return _answer(request, 422, first["msg"], field=name, value=value, faults=faults)
    if place == "path":
        return _answer(request, 404)
    return _answer(request, 422, f"{name}: {value}")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    if not _is_api(request):
        return _answer(request, 422, next(iter(messages(error).values())))
    name, (text, values) = next(iter(error.faults.items()))
    value = None if values.get("value") is None else str(values["value"])
    return _answer(
        request, 422, text % values, code=error.code, field=name, value=value, faults=error.lines()
    )


async def _hindered(request: Request, error: Exception) -> Response:
    assert isinstance(error, Hindered)
    if not _is_api(request):
        return _answer(request, 422, "; ".join(said(fault) for fault in error.faults))
    faults = [str(fault) for fault in error.faults]
    return _answer(request, 422, "; ".join(faults), code=error.code, faults=faults)


async def _conflict(request: Request, error: Exception) -> Response:
    log.warning("%s %s: %s", request.method, request.url.path, error)
    return _answer(request, 409)


async def _fault(request: Request, error: Exception) -> Response:
    # Starlette answers this outside the middleware, and raises the exception again, so that uvicorn logs the
    # trace.
    answer = _answer(request, 500)
    answer.headers.update(HEADERS)
    return answer
