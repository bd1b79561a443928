"""The pages that customers reach by a link in a message: stop, choose, why was this sent to me.

    GET  /u/TOKEN   a page with one button; changes nothing, because scanners of mail open every link
    POST /u/TOKEN   unsubscribes, from a browser or from a mail program (RFC 8058): no login, no cookie, no redirect
    GET  /p/TOKEN   what may be sent; POST: one act
    GET  /w/TOKEN   why it was sent

They stand before everything else and share nothing with it but the state: the token is the authority, so there is no
login, no cookie and no CSRF token, and a foreign Origin may post. The host of `[attention] public_url` reaches these
addresses and no other one. Nothing is logged.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from primeta.attention.fold import CustomerState
from primeta.attention.links import Link
from primeta.attention.preference_words import language_of, tell
from primeta.errors import PrimetaError
from primeta.show.locale import Language
from primeta.web.public_acts import OPT_OUTS, Desk, Form, asked, one, unsubscribe
from primeta.web.public_pages import choose_page, stop_page, style, why_page, word_page
from primeta.web.security import LOOPBACK, host_name
from primeta.workspace import Workspace
from primeta.workspace.preferences import PreferenceDesk

PREFIXES = ("/u/", "/p/", "/w/")
MOST_BYTES = 64 << 10
RETRY_AFTER_S = 120
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    # The address is the key: it must not travel to the next site.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class PublicPages:
    """Answers its own addresses and hands everything else on.

    Args:
        now: The clock.
        allowed: Names, beside those of loopback and of `public_url`, by which these pages may be asked for.
    """

    def __init__(
        self, app: ASGIApp, *, workspace: Workspace, now: Callable[[], datetime], allowed: Iterable[str] = ()
    ):
        self.app = app
        self.workspace = workspace
        self.now = now
        public = urlsplit(workspace.config.attention.public_url).hostname
        names = (*LOOPBACK, *allowed, *((public,) if public else ()))
        self.allowed = {name.casefold() for name in names}
        self._desk: PreferenceDesk | None = None
        self._opening = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIXES):
            await self.app(scope, receive, send)
            return
        asked_for = Headers(scope=scope)
        if host_name(asked_for.get("host", "")) not in self.allowed:
            response: Response = PlainTextResponse(
                "This address is not one that Primeta answers to; name it in [attention] public_url.\n",
                status_code=421,
            )
        else:
            body = await _body(receive) if scope["method"] == "POST" else b""
            response = (
                PlainTextResponse("too long\n", status_code=413)
                if body is None
                else await run_in_threadpool(self._answer, scope, asked_for, body)
            )
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    def _answer(self, scope: Scope, headers: Headers, body: bytes) -> Response:
        page, token = scope["path"][1], scope["path"][3:]
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("GET or POST\n", status_code=405, headers={"Allow": "GET, HEAD, POST"})
        if page == "u" and token == style()[0]:
            return Response(
                style()[1],
                media_type="text/css",
                headers={"Cache-Control": "public, max-age=31536000, immutable"},
            )
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=20))
        form = _form(headers, body)
        one_click = _is_one_click(form, body)
        lang = self._language(query, form, headers)
        asking = _Asking(self, page, token, lang, query, form, one_click)
        try:
            if method == "POST":
                return asking.post()
            return asking.get()
        except PrimetaError as error:
            _log(error)
            return asking.failed(posted=method == "POST")
        except Exception as error:  # noqa: BLE001 — whatever fails, he is told that nothing was recorded
            _log(error)
            return asking.failed(posted=method == "POST")

    def _language(self, query: dict[str, str], form: Form, headers: Headers) -> Language:
        wanted = query.get("lang") or one(form, "lang")
        if wanted in ("en", "ru"):
            return "ru" if wanted == "ru" else "en"
        found = language_of(headers.get("accept-language", ""))
        return found or ("ru" if self.workspace.config.language == "ru" else "en")

    def desk(self) -> PreferenceDesk:
        """Opened when it is first needed: a workspace that cannot be read just now is asked again."""
        if self._desk is None:
            with self._opening:
                if self._desk is None:
                    self._desk = PreferenceDesk(self.workspace, now=self.now())
        return self._desk

    def sender(self, lang: Language) -> str:
        config = self.workspace.config
        named = config.attention.preferences.sender
        return named.get(lang) or next(iter(named.values()), config.name)


class _Asking:
    """One request of a customer."""

    def __init__(
        self,
        site: PublicPages,
        page: str,
        token: str,
        lang: Language,
        query: dict[str, str],
        form: Form,
        one_click: bool,
    ):
        self.site = site
        self.page, self.token = page, token
        self.lang: Language = lang
        self.query, self.form, self.one_click = query, form, one_click

    def get(self) -> Response:
        link = self.site.desk().open(self.token)
        if link is None:
            return self.unknown()
        words = self.words(link)
        if link.retired and self.page != "u":
            return self.old()
        try:
            state = self.site.desk().state(link.customer_id)
        except PrimetaError:
            if self.page == "u":
                return HTMLResponse(stop_page(words, self.token, None))
            raise
        if state is None:
            return self.gone()
        if self.page == "u":
            return HTMLResponse(stop_page(words, self.token, state))
        if self.page == "p":
            return self.choose(
                words, state, said=self.query.get("said", ""), channel=self.query.get("on", "")
            )
        why = self.site.desk().why(link, now=words.now)
        return self.gone() if why is None else HTMLResponse(why_page(words, self.token, why, state))

    def post(self) -> Response:
        link = self.site.desk().open(self.token)
        if link is None:
            return self.unknown()
        words = self.words(link)
        if self.page == "u":
            return self.unsubscribe(words)
        act = asked(words, self.form) if self.page == "p" else None
        if link.retired and (act is None or act.name not in OPT_OUTS):
            return self.old()
        if act is None:
            return self.back("nothing-new")
        if act.changed_wording:
            return self.back("read-again")
        done = self.site.desk().act(link.customer_id, act.act, now=words.now)
        if done.state is None:
            return self.gone()
        if link.retired:
            return HTMLResponse(stop_page(words, self.token, done.state, done=True))
        if act.name == "start":
            # Asked for the moment after: at the very moment of an opt-out the opt-out wins.
            standing = done.state.standing(
                "marketing", act.channel, at=done.state.as_of + timedelta(seconds=1)
            )
            held = not standing.given or done.state.wish(act.channel) is not None
            return self.back("not-started" if held else "started", channel=act.channel)
        return self.back("saved" if done.new else "nothing-new")

    def unsubscribe(self, words: Desk) -> Response:
        act = unsubscribe(words, one_click=self.one_click)
        done = self.site.desk().act(words.link.customer_id, act.act, now=words.now, shown=not self.one_click)
        if self.one_click:
            return PlainTextResponse("Unsubscribed.\n")
        if done.state is None:
            return self.gone()
        return HTMLResponse(stop_page(words, self.token, done.state, done=True))

    def choose(self, words: Desk, state: CustomerState, *, said: str, channel: str) -> Response:
        promised, quiet = self.site.desk().told_to_all(words.link.channel, now=words.now)
        return HTMLResponse(
            choose_page(
                words, self.token, state, said=said, said_channel=channel, promised=promised, quiet=quiet
            )
        )

    def words(self, link: Link) -> Desk:
        config = self.site.workspace.config
        return Desk(
            link=link,
            lang=self.lang,
            config=config.attention,
            sender=self.site.sender(self.lang),
            zone=config.zone,
            now=self.site.now(),
        )

    def back(self, said: str, *, channel: str = "") -> Response:
        """To the page of choices, so that reloading it sends nothing again."""
        more = f"&on={channel}" if channel.isascii() and channel.replace("-", "").isalnum() else ""
        return RedirectResponse(f"../p/{self.token}?lang={self.lang}&said={said}{more}", status_code=303)

    # Where there is nothing to do

    def word(self, code: str, status: int, **options) -> Response:
        return HTMLResponse(
            word_page(
                code,
                self.lang,
                sender=self.site.sender(self.lang),
                contact=self.site.workspace.config.attention.preferences.contact,
                **options,
            ),
            status_code=status,
        )

    def unknown(self) -> Response:
        return self.word("unknown", 404)

    def gone(self) -> Response:
        return self.word("gone", 200)

    def old(self) -> Response:
        """Nothing about him is shown; he can stop."""
        fields: Form = {"lang": [self.lang], "act": ["stop-all"]}
        button = tell(self.lang, "stop.button-all")
        return self.word("old", 200, token=self.token, form=fields, button=button)

    def failed(self, *, posted: bool) -> Response:
        if self.one_click:
            response: Response = PlainTextResponse("Not recorded, try again.\n", status_code=503)
        elif posted:
            response = self.word("failed", 503, form=self.form or {"lang": [self.lang]})
        else:
            response = self.word("unread", 503)
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response


def _log(error: Exception) -> None:
    """What failed and where, without a value: addresses and ids stay out of logs."""
    where = traceback.format_list(traceback.extract_tb(error.__traceback__)[-3:])
    sys.stderr.write(f"a page for customers failed: {type(error).__name__}\n{''.join(where)}")


async def _body(receive: Receive) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _form(headers: Headers, body: bytes) -> Form:
    """Fields of a browser's form; of anything else none."""
    kind = headers.get("content-type", "").partition(";")[0].strip().casefold()
    if not body or kind != "application/x-www-form-urlencoded":
        return {}
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return {}


def _is_one_click(form: Form, body: bytes) -> bool:
    """RFC 8058 §3.1: the pair `List-Unsubscribe=One-Click`, as a form or in parts."""
    if "List-Unsubscribe" in form:
        return True
    return not form and b"List-Unsubscribe" in body
