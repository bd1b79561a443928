"""The web application: `create_app(workspace, now=clock)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from primeta.errors import BadInput, Conflict, NotAllowed, NotFound, PrimetaError, Refused, Unavailable
from primeta.show.chart import vega_bundle
from primeta.web import (
    api,
    api_attention,
    api_attention_customers,
    api_attention_events,
    api_attention_rules,
    api_experiments,
    api_links,
    api_reactivation,
    api_texts,
)
from primeta.web.background import Answers
from primeta.web.may_send import MaySendRoute, Switched, describe
from primeta.web.page import Site, page
from primeta.web.pages import (
    attention_ask,
    attention_campaigns,
    attention_consents,
    attention_customers,
    attention_health,
    attention_policy,
    attention_promises,
    attention_rights,
    certify,
    data,
    delivery,
    experiment_acts,
    experiment_edit,
    experiments,
    jobs,
    lapse,
    log_form,
    metrics,
    radar,
    reactivation,
    reactivation_people,
    reactivation_policy,
    reactivation_whom,
    reading,
    search,
    settings,
    signals,
    sources,
    today,
    topics,
    trend_edit,
    trends,
    voices,
)
from primeta.web.public import PublicPages
from primeta.web.security import HEADERS, KnownHost, SecureHeaders
from primeta.workspace import Workspace

STATUS: tuple[tuple[type[PrimetaError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 403),
    (BadInput, 400),
    (Refused, 409),
    (Unavailable, 503),
)


def create_app(workspace: Workspace, *, now: Callable[[], datetime], hosts: Iterable[str] = ()) -> FastAPI:
    """Pages and API over one workspace.

    Args:
        now: The clock, with a zone; pages show its times in the workspace's zone.
        hosts: Names, beside those of loopback, by which the site may be asked for.
    """
    app = FastAPI(
        title="Primeta",
        version="1",
        description="Signs, tested against a control group. The documents are those of `--json`.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.site = Site(workspace, now)
    app.state.doctor = data.Doctor()
    app.state.sizes, app.state.courses = Answers(), Answers()
    app.state.voices, app.state.searches = Answers(), Answers()
    app.state.twins = Answers()
    app.state.first_days, app.state.touch_marks = Answers(), Answers()
    # The last one added is the outermost: a refused host gets the headers too.
    app.add_middleware(KnownHost, allowed=tuple(hosts))
    app.add_middleware(SecureHeaders)
    # The hot question passes by everything else; it refuses foreign hosts and sets the headers itself.
    app.state.switched = Switched()
    app.add_middleware(
        MaySendRoute, workspace=workspace, now=now, allowed=tuple(hosts), switched=app.state.switched
    )
    # What customers open stands before all, with a host, headers and rules of its own.
    app.add_middleware(PublicPages, workspace=workspace, now=now, allowed=tuple(hosts))
    pages = (
        today,
        signals,
        log_form,
        topics,
        reading,
        voices,
        search,
        sources,
        radar,
        trends,
        trend_edit,
        experiments,
        experiment_acts,
        experiment_edit,
        certify,
        reactivation,
        reactivation_policy,
        reactivation_whom,
        reactivation_people,
        lapse,
        attention_health,
        attention_promises,
        attention_campaigns,
        attention_customers,
        attention_policy,
        attention_ask,
        attention_consents,
        attention_rights,
        metrics,
        data,
        delivery,
        jobs,
        settings,
    )
    for module in pages:
        app.include_router(module.router, include_in_schema=False)
    app.include_router(api.router)
    app.include_router(api_experiments.router)
    app.include_router(api_reactivation.router)
    app.include_router(api_texts.router)
    app.include_router(api_attention.router)
    app.include_router(api_links.router)
    app.include_router(api_attention_events.router)
    app.include_router(api_attention_rules.router)
    app.include_router(api_attention_customers.router)
    app.add_api_route("/static/vega.js", _vega, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("primeta.web") / "static")), name="static")
    described = app.openapi
    app.openapi = lambda: describe(described())
    app.add_exception_handler(PrimetaError, _refused)
    app.add_exception_handler(HTTPException, _missing)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)
    return app


def _vega() -> Response:
    return PlainTextResponse(
        vega_bundle(),
        media_type="text/javascript",
        headers={"Cache-Control": "public, max-age=604800, immutable"},
    )


def _refused(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    return _problem(request, status, str(error))


def _unreadable(request: Request, error: Exception) -> Response:
    complaints = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in complaints)
    return _problem(request, 422, told)


def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(request, status, "")


def _broken(request: Request, error: Exception) -> Response:
    # Starlette answers for this handler outside our middleware, and then raises the error for the log.
    response = _problem(request, 500, f"{type(error).__name__}")
    response.headers.update(HEADERS)
    return response


def _problem(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": message or "there is nothing at this address"}, status_code=status)
    return page(request, "error.html", status=status, code=status, message=message)
