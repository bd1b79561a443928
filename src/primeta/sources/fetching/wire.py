"""One exchange over the wire: to a checked address and no other, within limits, unpacked step by step.

The name stays the name in Host, in TLS and in the certificate; only the connection itself is pinned. So a name that
resolves to something else a moment later changes nothing.
"""

from __future__ import annotations

import socket
import ssl
import typing
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from primeta.sources.fetching.address import DEFAULT_PORTS, IP, Target
from primeta.sources.fetching.records import Limits, Stop, stop

if TYPE_CHECKING:
    import httpcore

Clock = Callable[[], float]
"""Seconds of a clock that never goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers (names in lower case, repeated ones joined by a comma) and, of 2xx, content, unpacked."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def tls_context() -> ssl.SSLContext:
    """Certificates that the system trusts (a company's own too) and those of the well-known list."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context


def exchange(
    target: Target,
    addresses: tuple[IP, ...],
    *,
    headers: Mapping[str, str],
    limits: Limits,
    seconds: float,
    clock: Clock,
    tls: Callable[[], ssl.SSLContext],
    proxy: str = "",
    cut: bool = False,
) -> Answer:
    """Send one GET and read its answer.

    Args:
        addresses: Checked ones; tried in turn. With `proxy` they are not used.
        seconds: Time for all of it.
        cut: What is longer than `limits.size_bytes` is cut there instead of being refused.
    Raises:
        Stop: `unreachable`, `certificate`, `too-slow`, `too-large`, `bomb`, `cut-short`, `bad-answer`, `unreadable`.
    """
    import httpcore

    budget = _Budget(limits=limits, clock=clock, until=clock() + seconds)
    timeouts = {
        "connect": limits.connect_seconds,
        "read": limits.idle_seconds,
        "write": limits.idle_seconds,
        "pool": limits.connect_seconds,
    }
    lines = [(b"Host", target.authority.encode("ascii"))]
    lines += [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    lines += [(b"Accept-Encoding", b"gzip, deflate"), (b"Connection", b"close")]
    with _pool(target, addresses, budget, tls, proxy) as pool:
        try:
            with pool.stream(
                "GET",
                httpcore.URL(
                    scheme=target.scheme.encode(),
                    host=target.host.encode("ascii"),
                    port=None if target.port == DEFAULT_PORTS[target.scheme] else target.port,
                    target=target.path.encode("ascii"),
                ),
                headers=lines,
                extensions={"timeout": timeouts},
            ) as response:
                budget.headers_done = True
                told = _read_headers(response.headers)
                # What comes with a redirect, an error or "unchanged" is of no use, and need not be read.
                given = 200 <= response.status < 300
                content = _read_content(response, told, limits, cut) if given else b""
                return Answer(status=response.status, headers=told, content=content)
        except Stop:
            raise
        except (httpcore.ConnectTimeout, httpcore.ReadTimeout, httpcore.WriteTimeout, httpcore.PoolTimeout):
            budget.timeout(None)
            raise stop("too-slow", again=True, host=target.host, seconds=limits.idle_seconds) from None
        except httpcore.ConnectError as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise stop("certificate", host=target.host, reason=cause.verify_message) from None
            raise stop("unreachable", again=True, host=target.host, reason="connection") from None
        except (httpcore.ReadError, httpcore.WriteError):
            raise stop("unreachable", again=True, host=target.host, reason="broken-off") from None
        except httpcore.RemoteProtocolError as error:
            if budget.headers_done and "complete message body" in str(error):
                raise stop("cut-short", again=True, host=target.host) from None
            raise stop("bad-answer", again=True, host=target.host, reason=str(error)[:200]) from None
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpcore.ProxyError) as error:
            raise stop("bad-answer", host=target.host, reason=str(error)[:200]) from None


def _pool(
    target: Target, addresses: tuple[IP, ...], budget: _Budget, tls: Callable[[], ssl.SSLContext], proxy: str
) -> httpcore.ConnectionPool:
    import httpcore

    context = tls() if target.scheme == "https" or proxy.startswith("https") else None
    if proxy:
        return httpcore.HTTPProxy(
            proxy_url=proxy, ssl_context=context, max_connections=1, network_backend=_pinned(None, budget)
        )
    return httpcore.ConnectionPool(
        ssl_context=context, max_connections=1, retries=0, network_backend=_pinned(addresses, budget)
    )


@dataclass(slots=True, kw_only=True)
class _Budget:
    """The time and the header bytes that are left to one exchange."""

    limits: Limits
    clock: Clock
    until: float
    header_bytes: int = 0
    headers_done: bool = False

    def timeout(self, wanted: float | None) -> float:
        left = self.until - self.clock()
        if left <= 0:
            # Who drips so slowly does so again: no second attempt.
            raise stop("too-slow", seconds=self.limits.total_seconds)
        return left if wanted is None else min(left, wanted)

    def readable(self, wanted: int) -> int:
        if self.headers_done:
            return wanted
        left = self.limits.header_bytes - self.header_bytes
        if left <= 0:
            raise stop("too-large", what="headers", limit=self.limits.header_bytes)
        return min(left, wanted)

    def took(self, count: int) -> None:
        if not self.headers_done:
            self.header_bytes += count


def _pinned(addresses: tuple[IP, ...] | None, budget: _Budget) -> httpcore.NetworkBackend:
    """A backend that connects to one of `addresses` whatever name it is given (None: a proxy, by its name)."""
    import httpcore

    plain = httpcore.SyncBackend()

    class Stream(httpcore.NetworkStream):
        def __init__(self, inner: httpcore.NetworkStream) -> None:
            self._inner = inner

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            got = self._inner.read(budget.readable(max_bytes), timeout=budget.timeout(timeout))
            budget.took(len(got))
            return got

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            self._inner.write(buffer, timeout=budget.timeout(timeout))

        def close(self) -> None:
            self._inner.close()

        def start_tls(
            self,
            ssl_context: ssl.SSLContext,
            server_hostname: str | None = None,
            timeout: float | None = None,
        ) -> httpcore.NetworkStream:
            return Stream(self._inner.start_tls(ssl_context, server_hostname, budget.timeout(timeout)))

        def get_extra_info(self, info: str) -> typing.Any:
            return self._inner.get_extra_info(info)

    class Pinned(httpcore.NetworkBackend):
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[typing.Any] | None = None,
        ) -> httpcore.NetworkStream:
            hosts = [host] if addresses is None else [str(address) for address in addresses]
            for place, address in enumerate(hosts):
                try:
                    # An address needs no resolver, so nothing is asked twice.
                    return Stream(
                        plain.connect_tcp(address, port, budget.timeout(timeout), local_address, [_ALIVE])
                    )
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    if place == len(hosts) - 1:
                        raise
            raise httpcore.ConnectError("no address")

    return Pinned()


_ALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        # The first one of these counts; a list of two would be neither.
        if key in told and key in ("location", "content-type", "etag", "last-modified", "retry-after"):
            continue
        told[key] = f"{told[key]}, {text}" if key in told else text
    return told


def _read_content(response: httpcore.Response, told: Mapping[str, str], limits: Limits, cut: bool) -> bytes:
    length = told.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > limits.size_bytes and not cut:
        raise stop("too-large", what="content", limit=limits.size_bytes, size=int(length))
    unpack = _unpacker(told.get("content-encoding", ""))
    kept = bytearray()
    packed = 0
    assert isinstance(response.stream, Iterable)
    for chunk in response.stream:
        packed += len(chunk)
        for piece in unpack.feed(chunk):
            kept += piece
            if len(kept) > limits.size_bytes:
                if cut:
                    return bytes(kept[: limits.size_bytes])
                raise stop("too-large", what="content", limit=limits.size_bytes)
            if unpack.packs and len(kept) > max(limits.ratio_from_bytes, packed * limits.ratio):
                raise stop("bomb", ratio=limits.ratio)
    unpack.close(packed)
    return bytes(kept)


_STEP = 64 * 2**10


class _Plain:
    packs = False

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        yield chunk

    def close(self, packed: int) -> None:
        pass


class _Zlib:
    """gzip (members one after another) or deflate (with or without zlib's frame), at most 64 KiB at a time."""

    packs = True

    def __init__(self, window: int) -> None:
        self._window = window
        self._inflate = zlib.decompressobj(window)
        self._head: bytes | None = b"" if window == zlib.MAX_WBITS else None

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        rest = self._framed(chunk)
        more = bool(rest)
        while more:
            if self._inflate.eof:
                # Padding after the end is common and means nothing; another member goes on.
                if self._window != _GZIP or not rest.startswith(b"\x1f"):
                    return
                self._inflate = zlib.decompressobj(self._window)
            try:
                piece = self._inflate.decompress(rest, _STEP)
            except zlib.error as error:
                raise stop("unreadable", reason=f"packed content is damaged: {error}") from None
            rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            # With the input all taken in, more may still lie inside.
            more = bool(rest) or (len(piece) == _STEP and not self._inflate.eof)
            if piece:
                yield piece

    def _framed(self, chunk: bytes) -> bytes:
        """The first two bytes of deflate say whether zlib's frame (RFC 1950 §2.2) is there; many servers leave it out."""
        if self._head is None:
            return chunk
        self._head += chunk
        if len(self._head) < 2:
            return b""
        rest, self._head = self._head, None
        if rest[0] & 0x0F != 8 or int.from_bytes(rest[:2], "big") % 31:
            self._window = -zlib.MAX_WBITS
            self._inflate = zlib.decompressobj(self._window)
        return rest

    def close(self, packed: int) -> None:
        if packed and not self._inflate.eof:
            raise stop("cut-short", again=True)


_GZIP = zlib.MAX_WBITS | 16


def _unpacker(encoding: str) -> _Plain | _Zlib:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip"):
        return _Zlib(_GZIP)
    if name == "deflate":
        return _Zlib(zlib.MAX_WBITS)
    # br and zstd were not asked for; unpacked twice is a way to hide a bomb.
    raise stop("unreadable", reason=f"packed as {name[:40]!r}, which was not asked for")
