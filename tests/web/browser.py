"""A browser without a script: keeps cookies, follows redirects, sends forms as a page would."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any

import httpx

CSRF_COOKIE = "primeta_csrf"


class Browser:
    """Requests to an application in this process, one after another."""

    def __init__(self, app: Any, *, base_url: str = "http://localhost"):
        self.app = app
        self.base_url = base_url
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, *, follow: bool = True, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base_url, cookies=self.cookies, follow_redirects=follow
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def send(
        self, path: str, fields: dict[str, str], *, follow: bool = True, **options: Any
    ) -> httpx.Response:
        """Post a form with this browser's token."""
        if CSRF_COOKIE not in self.cookies:
            self.get("/log")
        token = self.cookies[CSRF_COOKIE]
        return self.request("POST", path, data={"csrf": token, **fields}, follow=follow, **options)


class Page(HTMLParser):
    """What tests ask of a page: its elements with attributes, in order, and its text."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "col"})

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.unbalanced.append(tag)
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and "script" not in self.open:
            self.texts.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]
