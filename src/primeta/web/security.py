"""What keeps a page on loopback safe: headers, the name of the host, a token in every form."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_COOKIE = "primeta_csrf"
CSRF_FIELD = "csrf"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecureHeaders:
    """Puts the security headers on every response; pages are not kept by shared caches."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "private, no-cache"
            await send(message)

        await self.app(scope, receive, with_headers)


class KnownHost:
    """Refuses requests for a host that is not ours: a foreign name that points here is an attack.

    Source: DNS rebinding; see "A Security Model for Local Web Servers" and RFC 9110 §7.2 (Host).
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()):
        self.app = app
        self.allowed = {name.casefold() for name in (*LOOPBACK, *allowed)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and host_name(Headers(scope=scope).get("host", "")) not in self.allowed:
            refusal = PlainTextResponse(
                "This address is not one that Primeta answers to. Open it as http://127.0.0.1 with its port, "
                "or start it with --host and the name that you want.\n",
                status_code=421,
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    host = host.casefold().strip()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if ":" in host else host


def token_of(request: Request) -> str:
    """This browser's token, or a new one that the response must set."""
    given = request.cookies.get(CSRF_COOKIE, "")
    return given if len(given) >= 32 else secrets.token_urlsafe(32)


def is_from_us(request: Request, form_token: str) -> bool:
    """True where the form carries the cookie's token and the browser names no other origin."""
    cookie = request.cookies.get(CSRF_COOKIE, "")
    if len(cookie) < 32 or not secrets.compare_digest(cookie.encode(), form_token.encode()):
        return False
    origin = request.headers.get("origin")
    if origin in (None, "null"):
        return origin is None
    return urlsplit(origin or "").netloc.casefold() == request.headers.get("host", "").casefold()


def local_path(path: str) -> str:
    """A path on this site to go back to; anything else becomes the first page."""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    return path if not any(ord(letter) < 32 for letter in path) else "/"
