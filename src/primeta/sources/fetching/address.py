"""Which addresses may be reached: the open internet, and what a person has allowed by name.

An address is read once, here, and what was read is what is connected to: no second parser can read it differently.
Every address that a name resolves to must be open; the connection then goes to one of these very addresses (`wire`).

Sources:
    OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
    IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and later).
    WHATWG URL, "IPv4 parser" (numeric hosts); WHATWG Fetch, "bad port".
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from primeta.sources.fetching.records import stop

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Name and port → addresses as text; raises OSError where the name is not known."""

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_URL = 8192

_BAD_PORTS = frozenset(
    [1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104]
    + [
        109,
        110,
        111,
        113,
        115,
        117,
        119,
        123,
        135,
        137,
        139,
        143,
        161,
        179,
        389,
        427,
        465,
        512,
        513,
        514,
        515,
    ]
    + [526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049]
    + [3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080]
)
"""Ports of other protocols, which an HTTP request could be made to speak."""


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(entry) for entry in text.split())


# What a host that is allowed by name may be: a house of one's own. 198.18/15 is for benchmarks, and tunnels use it.
_HOUSE = _networks(
    "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 ::1/128 fc00::/7"
)
# Never by a name, only where the address itself is allowed: 169.254.169.254 hands out a cloud's keys.
_CLOSED = _networks(
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.51.100.0/24 203.0.113.0/24"
    " 224.0.0.0/4 240.0.0.0/4"
    " 168.63.129.16/32"  # a public number that Azure answers from inside the host
    " ::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fe80::/10 fec0::/10 ff00::/8"
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address as it was read: scheme, host (ASCII, lower case; IPs in their usual form), port, path with query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def ip(self) -> IP | None:
        """The address where the host is one, not a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.path


def read_address(url: str) -> Target:
    """Read an http(s) address; a fragment is dropped.

    Raises:
        Stop: `bad-address` with `reason` scheme, userinfo, host, port, characters or length.
    """
    text = url.strip()
    if len(text) > LONGEST_URL:
        raise _bad(url, "length")
    if any(ord(sign) < 0x20 or ord(sign) == 0x7F or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise _bad(url, "characters")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in DEFAULT_PORTS:
        raise _bad(url, "scheme")
    if not rest.startswith("//"):
        raise _bad(url, "host")
    authority = re.split(r"[/?#]", rest[2:], maxsplit=1)[0]
    # Browsers take "\" for "/" and others take it for a part of the name: whoever writes it means mischief.
    if "\\" in authority or any(sign.isspace() for sign in authority):
        raise _bad(url, "characters")
    if "@" in authority:
        raise _bad(url, "userinfo")
    host, port = _split_port(url, authority, DEFAULT_PORTS[scheme])
    try:
        parts = urlsplit("//host" + rest[2 + len(authority) :])
    except ValueError:
        raise _bad(url, "characters") from None
    # Written letters become UTF-8 percent escapes; what is escaped already stays as it is.
    path = quote(parts.path.replace("\\", "/") or "/", safe="%/:=&?~#+!$,;'@()*[]|")
    query = quote(parts.query, safe="%/:=&?~+!$,;'@()*[]|{}")
    return Target(
        scheme=scheme, host=_read_host(url, host), port=port, path=path + (f"?{query}" if parts.query else "")
    )


def _bad(url: str, reason: str) -> Exception:
    return stop("bad-address", permanent=True, url=url[:300], reason=reason)


def _split_port(url: str, authority: str, default: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, bracket, after = authority.partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise _bad(url, "host")
        host, digits = host + "]", after[1:]
    else:
        host, _, digits = authority.partition(":")
    if not digits:
        return host, default
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise _bad(url, "port")
    return host, int(digits)


def _read_host(url: str, host: str) -> str:
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])) if "%" not in host else _refuse(url)
        except ValueError:
            raise _bad(url, "host") from None
    import idna

    try:
        # UTS 46 first: "１２７。０。０。１" and "ⓛocalhost" are written in other signs only.
        name = idna.uts46_remap(host, std3_rules=False, transitional=False)
        name = name if name.isascii() else idna.encode(name, strict=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise _bad(url, "host") from None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        return _read_numeric(url, labels)
    # An underscore is not a host name, and yet such names exist.
    if len(name) > 253 or not all(re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", label) for label in labels):
        raise _bad(url, "host")
    return name


def _refuse(url: str) -> str:
    raise _bad(url, "host")


def _read_numeric(url: str, labels: list[str]) -> str:
    """`127.1`, `0x7f000001`, `017700000001`, `2130706433` as what the system would take them for."""
    numbers: list[int] = []
    for label in labels:
        base = 16 if label.startswith("0x") else 8 if len(label) > 1 and label.startswith("0") else 10
        digits = (label[2:] or "0") if base == 16 else label
        try:
            if not (digits.isascii() and digits.isalnum() and len(digits) <= 40):
                raise ValueError
            numbers.append(int(digits, base))
        except ValueError:
            raise _bad(url, "host") from None
    if len(numbers) > 4 or any(number > 255 for number in numbers[:-1]):
        raise _bad(url, "host")
    if numbers[-1] >= 256 ** (5 - len(numbers)):
        raise _bad(url, "host")
    value = numbers[-1] + sum(number << (24 - 8 * place) for place, number in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def refusal(address: IP) -> str:
    """Why an address is not the open internet: `house` (private, loopback, shared), `closed` (link-local, multicast,
    reserved, documentation, tunnels …), or empty where it is open."""
    if isinstance(address, ipaddress.IPv6Address):
        # A mapped or translated address reaches the IPv4 host inside it; the whole internet may come so (DNS64).
        if address in _MAPPED or address in _NAT64:
            return refusal(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id is not None:
            return "closed"
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            inner = refusal(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
            if inner:
                return inner
    if any(address in network for network in _HOUSE if network.version == address.version):
        return "house"
    if any(address in network for network in _CLOSED if network.version == address.version):
        return "closed"
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return "closed"
    return "" if address.is_global and not address.is_multicast else "closed"


def is_allowed(target: Target, allow: Iterable[str]) -> bool:
    """Whether a person has named this host (or host:port); the name as written counts, never what it resolves to."""
    return any(_names(entry, target) for entry in allow)


def _names(entry: str, target: Target) -> bool:
    text = entry.strip()
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    has_port = re.search(r":\d+$", text) is not None and (not text.startswith("[") or "]:" in text)
    try:
        named = read_address(f"{target.scheme}://{text}/")
    except Exception:  # noqa: BLE001 - an entry that is no host allows nothing
        return False
    return named.host == target.host and (not has_port or named.port == target.port)


class Guard:
    """Resolves a host and lets it pass only if every address of it may be reached."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver or system_resolver

    def check_written(self, target: Target, allow: Iterable[str]) -> None:
        """What can be judged without asking for the name: port, address, `localhost`.

        Raises:
            Stop: `refused-address`, with `host`, `address` and `reason` (house, closed, port).
        """
        named = is_allowed(target, allow)
        if target.port in _BAD_PORTS and not is_allowed(
            target, (e for e in allow if e.endswith(f":{target.port}"))
        ):
            raise _refused(target, f"{target.host}:{target.port}", "port")
        if named:
            return
        if target.host == "localhost" or target.host.endswith(".localhost"):
            raise _refused(target, target.host, "house")
        if target.ip is not None and (reason := refusal(target.ip)):
            raise _refused(target, target.host, reason)

    def check(self, target: Target, allow: Iterable[str], *, seconds: float) -> tuple[IP, ...]:
        """The addresses that may be connected to, in the order in which they were given.

        Raises:
            Stop: `refused-address` as `check_written`; `unreachable` where the name is not known.
        """
        self.check_written(target, allow)
        if target.ip is not None:
            return (target.ip,)
        addresses = tuple(dict.fromkeys(self._resolve(target, seconds)))
        named = is_allowed(target, allow)
        for address in addresses:
            reason = refusal(address)
            if reason == "closed" or (reason and not named):
                raise _refused(target, str(address), reason)
        return addresses

    def _resolve(self, target: Target, seconds: float) -> list[IP]:
        # The system's resolver cannot be interrupted; so it is left behind in its thread when it takes too long.
        answer: list[str] = []
        failure: list[OSError | UnicodeError] = []

        def ask() -> None:
            try:
                answer.extend(self._resolver(target.host, target.port))
            except (OSError, UnicodeError) as error:
                failure.append(error)

        thread = threading.Thread(target=ask, daemon=True, name="primeta-resolver")
        thread.start()
        thread.join(max(seconds, 0.0))
        if thread.is_alive():
            raise stop("unreachable", again=True, host=target.host, reason="name-slow")
        try:
            addresses = [ipaddress.ip_address(text) for text in answer]
        except ValueError:
            addresses = []
        if failure or not addresses:
            raise stop("unreachable", again=True, host=target.host, reason="name")
        return addresses


def _refused(target: Target, address: str, reason: str) -> Exception:
    return stop("refused-address", permanent=True, host=target.host, address=address, reason=reason)


def system_resolver(host: str, port: int) -> list[str]:
    """Every address that the system gives for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
