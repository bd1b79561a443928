"""Real servers on this machine that play a mail server and the HTTP services of messengers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What a mail server received, and what it refuses."""

    port: int = 0
    letters: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Recipients that are refused for ever: 550."""
    greylisted: int = 0
    """So many recipients are still told to come later: 451."""
    password: str = "s3cret/p@ss"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.unknown:
            return "550 5.1.1 no such user here"
        if self.greylisted:
            self.greylisted -= 1
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((list(envelope.rcpt_tos), letter))
        return "250 OK"

    def __call__(self, server, session, envelope, mechanism, auth_data):
        right = isinstance(auth_data, LoginPassword) and auth_data.password.decode() == self.password
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(*, login: bool = False) -> Iterator[Mailbox]:
    box = Mailbox()
    more: dict[str, Any] = {}
    if login:
        more = {"authenticator": box, "auth_required": True, "auth_require_tls": False}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    server.start()
    try:
        yield box
    finally:
        server.stop()


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Service:
    """An HTTP service: what it was asked, and its answers in turn; the last one is repeated."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "ok")])
    answer: Callable[[Asked], tuple[int, str]] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def http_service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.path, dict(self.headers), body)
            service.asked.append(asked)
            if service.answer is not None:
                code, text = service.answer(asked)
            else:
                code, text = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            content = text.encode()
            self.send_response(code)
            if 300 <= code < 400:
                self.send_header("Location", text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
