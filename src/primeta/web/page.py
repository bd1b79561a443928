"""Answering one request with a page: who reads, the template, the token, the toast."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from primeta.errors import NotAllowed
from primeta.show.locale import is_language
from primeta.warehouse.metric import Metric
from primeta.web.reader import Reader, capital
from primeta.web.security import CSRF_COOKIE, CSRF_FIELD, is_from_us, local_path, token_of
from primeta.workspace import Workspace

YEAR = 365 * 24 * 3600
MOST_FIELDS = 300
"""The longest form is a declaration with twenty rows of arms and of metrics."""
TOAST_COOKIE = "primeta_toast"
LANGUAGE_COOKIE = "primeta_language"
THEME_COOKIE = "primeta_theme"
PERSON_COOKIE = "primeta_person"
PLACES = (
    ("/", "Today"),
    ("/signals", "Signals"),
    ("/trends", "Trends"),
    ("/topics", "What is said"),
    ("/experiments", "Experiments"),
    ("/reactivation", "Reactivation"),
    ("/attention", "Attention"),
    ("/metrics", "Metrics"),
    ("/data", "Data"),
)


class Site:
    """What every page needs: the workspace, the clock, the metrics by name."""

    def __init__(self, workspace: Workspace, now: Callable[[], datetime]):
        self.workspace = workspace
        self.now = now

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that the workspace's file declares: it is read once, when the site starts."""
        return {view.metric.name: view.metric for view in self.workspace.metrics()}

    def read_in(self, language: str) -> Site:
        """The same site over the workspace in another language; what it has read already is kept."""
        if language == self.workspace.config.language:
            return self
        other = Site(self.workspace.in_language(language), self.now)
        other.metrics = self.metrics
        return other


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates; an undefined name is an error and everything is escaped."""
    environment = Environment(
        loader=PackageLoader("primeta.web", "templates"),
        autoescape=select_autoescape(("html",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = sentence
    environment.filters["capital"] = capital
    environment.globals["same_pairs"] = lambda names: [(name, name) for name in names]
    environment.globals["trend_pairs"] = lambda trends: [(trend.id, trend.card.name) for trend in trends]
    return environment


def sentence(text: str) -> str:
    """A finding as a sentence."""
    return capital(text) + "."


def site_of(request: Request) -> Site:
    """The site as this reader reads it: what Primeta drafted is told in his language."""
    return request.app.state.site.read_in(_language_of(request))


def _language_of(request: Request) -> str:
    """By `?lang`, then the cookie, then the workspace."""
    own = request.app.state.site.workspace.config.language
    wanted = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), own)
    return next(lang for lang in wanted if lang and is_language(lang))


def reader_of(request: Request) -> Reader:
    """The reader's language, theme and zone."""
    site = request.app.state.site
    config = site.workspace.config
    theme = request.cookies.get(THEME_COOKIE, "")
    return Reader(
        lang=_language_of(request),
        theme=theme if theme in ("light", "dark") else "",
        zone=config.zone,
        currency=config.currency,
        metrics=site.metrics,
    )


def page(
    request: Request,
    template: str,
    reader: Reader | None = None,
    *,
    status: int = 200,
    place: str = "",
    **context: Any,
) -> Response:
    """A page from a template, with the cookies that it needs.

    Args:
        place: The place of the site that it belongs to, where its address does not say.
    """
    site = site_of(request)
    reader = reader or reader_of(request)
    token = token_of(request)
    toast = _read_toast(request)
    other = "en" if reader.lang == "ru" else "ru"
    text = (
        templates()
        .get_template(template)
        .render(
            r=reader,
            _=reader._,
            _n=reader._n,
            lang=reader.lang,
            config=site.workspace.config,
            today=site.workspace.day(site.now()),
            places=PLACES,
            path=place or request.url.path,
            here=_here(request),
            other_language=other,
            other_language_link="?" + urlencode([*_other_parameters(request), ("lang", other)]),
            csrf=token,
            person=person_of(request),
            toast=reader.t(toast[0], toast[1]) if toast else "",
            version=_version(),
            **context,
        )
    )
    response = HTMLResponse(text, status_code=status)
    if request.cookies.get(CSRF_COOKIE) != token:
        response.set_cookie(CSRF_COOKIE, token, max_age=YEAR, httponly=True, samesite="strict")
    if is_language(request.query_params.get("lang")):
        response.set_cookie(LANGUAGE_COOKIE, reader.lang, max_age=YEAR, httponly=True, samesite="lax")
    if toast:
        response.delete_cookie(TOAST_COOKIE)
    return response


@lru_cache(maxsize=1)
def _version() -> str:
    return version("primeta")


def _here(request: Request) -> str:
    query = urlencode(_other_parameters(request))
    return request.url.path + (f"?{query}" if query else "")


def _other_parameters(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]


async def form_of(request: Request) -> FormData:
    """The form of a POST that came from one of our own pages.

    Raises:
        NotAllowed: the token is missing or wrong.
    """
    return sent_from_us(request, await request.form(max_files=0, max_fields=MOST_FIELDS))


def sent_from_us(request: Request, form: FormData) -> FormData:
    """The same form, where it carries this browser's token.

    Raises:
        NotAllowed: it does not.
    """
    if not is_from_us(request, str(form.get(CSRF_FIELD, ""))):
        raise NotAllowed(
            "the form did not carry this browser's token, so nothing was saved; "
            "go back, reload the page and send it again"
        )
    return form


Sent = Annotated[FormData, Depends(form_of)]
"""A form that was sent from one of our own pages, as an argument of a route."""


def text_of(form: FormData, name: str) -> str:
    """One field as stripped text; browsers end lines with CR LF."""
    value = form.get(name)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def done(path: str, toast: str = "", /, *, person: str = "", **figures: Any) -> Response:
    """Send the browser on after an act, with a word about what was done."""
    # A browser would carry the fragment of the form's address along; the page is read from its top.
    target = local_path(path)
    target = target if "#" in target else f"{target}#main"
    response = RedirectResponse(target, status_code=303)
    if toast:
        told = json.dumps([toast, figures], ensure_ascii=False).encode()
        packed = base64.urlsafe_b64encode(told).decode()
        response.set_cookie(TOAST_COOKIE, packed, max_age=60, httponly=True, samesite="strict")
    if person:
        response.set_cookie(
            PERSON_COOKIE, _cookie_text(person), max_age=YEAR, httponly=True, samesite="strict"
        )
    return response


def _cookie_text(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def person_of(request: Request) -> str:
    """Who wrote here last, by the cookie; empty where nobody did."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(PERSON_COOKIE, "").encode()).decode()[:200]
    except ValueError:
        return ""


def _read_toast(request: Request) -> tuple[str, dict[str, Any]] | None:
    packed = request.cookies.get(TOAST_COOKIE)
    if not packed:
        return None
    try:
        code, figures = json.loads(base64.urlsafe_b64decode(packed.encode()))
    except ValueError:
        return None
    if not (isinstance(code, str) and isinstance(figures, dict) and code.startswith("done.")):
        return None
    return code, {str(key): value for key, value in figures.items() if isinstance(value, str)}
