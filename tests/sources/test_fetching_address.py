"""Which addresses may be reached: every written form of an inner address is refused."""

from __future__ import annotations

import contextlib
import ipaddress
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.fetching.address import Guard, is_allowed, read_address, refusal
from primeta.sources.fetching.records import Stop

# IANA special-purpose registries: one range a line, those that are not globally reachable.
INNER = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "0.0.0.0/8",
]


def _inner(draw: st.DrawFn) -> int:
    network = ipaddress.IPv4Network(draw(st.sampled_from(INNER)))
    return int(network[0]) + draw(st.integers(0, network.num_addresses - 1))


@st.composite
def written_inner_hosts(draw: st.DrawFn) -> str:
    """An inner IPv4 address as C's inet_aton, WHATWG or IPv6 would let one write it."""
    value = _inner(draw)
    form = draw(st.sampled_from(["parts", "mapped", "nat64", "6to4", "teredo", "isatap", "compatible"]))
    v6 = {
        "mapped": 0xFFFF << 32 | value,
        "nat64": 0x0064FF9B << 96 | value,
        "6to4": 0x2002 << 112 | value << 80 | 1,
        "teredo": 0x20010000 << 96 | value ^ 0xFFFFFFFF,
        "isatap": 0x2A00_1450_4001_0000 << 64 | 0x00005EFE << 32 | value,
        "compatible": value,
    }
    if form != "parts":
        return f"[{ipaddress.IPv6Address(v6[form])}]"
    count = draw(st.integers(1, 4))
    octets = list(value.to_bytes(4, "big"))
    numbers = octets[: count - 1] + [int.from_bytes(bytes(octets[count - 1 :]), "big")]
    writers = [
        str,
        hex,
        lambda n: hex(n).upper().replace("0X", "0x"),
        lambda n: "0x" + "0" * 5 + hex(n)[2:],
        lambda n: "0" + oct(n)[2:],
        lambda n: "000" + oct(n)[2:],
    ]
    text = ".".join(draw(st.sampled_from(writers))(number) for number in numbers)
    if draw(st.booleans()):
        text += "."
    if draw(st.booleans()):  # full-width signs, which UTS 46 maps
        text = text.translate({ord(a): ord(a) + 0xFEE0 for a in "0123456789abcdefx"}).replace(".", "。")
    return text


@settings(max_examples=300, deadline=None)
@given(host=written_inner_hosts(), port=st.sampled_from(["", ":80", ":8080"]))
def test_no_written_form_of_an_inner_address_passes(host: str, port: str) -> None:
    def never(name: str, port: int) -> list[str]:
        raise AssertionError(f"{name} was asked for")

    with pytest.raises(Stop) as ended:
        Guard(never).check(read_address(f"http://{host}{port}/feed"), (), seconds=1)
    assert ended.value.trouble.code == "refused-address"
    assert ended.value.trouble.permanent


@settings(max_examples=200, deadline=None)
@given(value=st.integers(0, 2**32 - 1))
def test_what_python_calls_not_global_is_refused_and_mapping_changes_nothing(value: int) -> None:
    address = ipaddress.IPv4Address(value)
    mapped = ipaddress.IPv6Address(0xFFFF << 32 | value)
    assert refusal(address) == refusal(mapped)
    if not address.is_global or address.is_multicast:
        assert refusal(address)


@settings(max_examples=300, deadline=None)
@given(value=st.integers(0, 2**128 - 1))
def test_open_ipv6_is_global_unicast_only(value: int) -> None:
    address = ipaddress.IPv6Address(value)
    if not refusal(address):
        inner = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::ffff:0:0/96"))
        assert address in ipaddress.IPv6Network("2000::/3") or any(address in network for network in inner)


@pytest.mark.parametrize(
    "address",
    # RFC 4291, 4193, 3879, 6666, 4380, 3849, 9637, 9602, 8215, 3056; Azure's host address
    [
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "64:ff9b:1::1",
        "2002:808:808::1",
        "4000::1",
        "168.63.129.16",
        "255.255.255.255",
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "172.32.0.1", "100.128.0.1"]
)
def test_the_open_internet_is_open(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_x", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("feed.xml", "scheme"),
        ("http:example.com", "host"),
        ("http://", "host"),
        ("http://trusted.example@127.0.0.1/", "userinfo"),
        ("http://user:pass@example.com/", "userinfo"),
        ("http://trusted.example\\@127.0.0.1/", "characters"),
        ("http://127.0.0.1\\.trusted.example/", "characters"),
        ("http://a b.example/", "characters"),
        ("http://example.com/\r\nHost: inner", "characters"),
        ("http://example.com/\x00", "characters"),
        ("http://example.com/\ud800", "characters"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:８０/", "port"),
        ("http://example.com:80:80/", "port"),
        ("http://[::1", "host"),
        ("http://[::1]x/", "host"),
        ("http://[fe80::1%25eth0]/", "host"),
        ("http://%31%32%37.0.0.1/", "host"),
        ("http://1.2.3.4.5/", "host"),
        ("http://256.1.1.1/", "host"),
        ("http://0x100000000/", "host"),
        ("http://09.1.1.1/", "host"),
        ("http://a..b/", "host"),
        ("http://-a.example/", "host"),
        ("http://" + "a" * 64 + ".example/", "host"),
        ("http://example.com/" + "a" * 9000, "length"),
    ],
)
def test_addresses_that_are_tricks_are_named(url: str, reason: str) -> None:
    with pytest.raises(Stop) as ended:
        read_address(url)
    assert (ended.value.trouble.code, ended.value.trouble.values["reason"]) == ("bad-address", reason)


def test_an_address_is_read_once_into_ascii() -> None:
    # punycode of "пример.рф" as IANA's test domains give it
    target = read_address("HTTPS://Пример.РФ:443/путь с пробелом?q=ё&x=%20#конец")
    assert target.url == (
        "https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C%20%D1%81%20"
        "%D0%BF%D1%80%D0%BE%D0%B1%D0%B5%D0%BB%D0%BE%D0%BC?q=%D1%91&x=%20"
    )
    assert read_address(target.url) == target
    assert read_address("http://[2606:4700::1]:8080/x").authority == "[2606:4700::1]:8080"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_named_trouble(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com/{text}"):
        target = None
        with contextlib.suppress(Stop):
            target = read_address(url)
        if target is not None:
            assert target.url.isascii()
            assert not set(target.url) & set(" \r\n\t\\")
            assert read_address(target.url) == target


def _guard(*addresses: str) -> Guard:
    return Guard(lambda host, port: list(addresses))


def test_every_address_of_a_name_must_be_open() -> None:
    target = read_address("http://mixed.example/")
    assert len(_guard("8.8.8.8", "1.1.1.1").check(target, (), seconds=1)) == 2
    for order in (("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8"), ("2606:4700::1111", "::ffff:10.0.0.1")):
        with pytest.raises(Stop) as ended:
            _guard(*order).check(target, (), seconds=1)
        assert ended.value.trouble.code == "refused-address"


def test_an_allowed_name_may_lead_into_the_house_but_not_to_the_keys_of_a_cloud() -> None:
    target = read_address("http://intranet.example/")
    allow = ("intranet.example",)
    assert [str(a) for a in _guard("10.1.2.3").check(target, allow, seconds=1)] == ["10.1.2.3"]
    for closed in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1"):
        with pytest.raises(Stop):
            _guard(closed).check(target, allow, seconds=1)
    # Only who writes that very address down may reach it.
    metadata = read_address("http://169.254.169.254/")
    assert _guard().check(metadata, ("169.254.169.254",), seconds=1)


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001/", False),
        ("127.0.0.1", "http://127.0.0.2/", False),
        ("127.0.0.1", "http://localhost/", False),
        ("localhost", "http://127.0.0.1/", False),
        ("Intranet.Example", "http://intranet.example./", True),
        ("intranet.example", "http://sub.intranet.example/", False),
        ("пример.рф", "http://xn--e1afmkfd.xn--p1ai/", True),
        ("[::1]:8000", "http://[::1]:8000/", True),
        ("[::1]:8000", "http://[::1]:8001/", False),
        ("::1", "http://[0:0:0:0:0:0:0:1]/", True),
        ("", "http://127.0.0.1/", False),
        ("*", "http://127.0.0.1/", False),
        ("user@127.0.0.1", "http://127.0.0.1/", False),
    ],
)
def test_allow_names_a_host_or_a_host_with_its_port(entry: str, url: str, allowed: bool) -> None:
    assert is_allowed(read_address(url), (entry,)) is allowed


def test_ports_of_other_protocols_are_refused_unless_named() -> None:
    target = read_address("http://example.com:25/")
    with pytest.raises(Stop) as ended:
        _guard("8.8.8.8").check(target, ("example.com",), seconds=1)
    assert ended.value.trouble.values["reason"] == "port"
    assert _guard("8.8.8.8").check(target, ("example.com:25",), seconds=1)


def test_a_resolver_that_hangs_fails_or_babbles_is_unreachable() -> None:
    import threading

    over = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        over.wait(5)
        return ["8.8.8.8"]

    def fail(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    target = read_address("http://slow.example/")
    for resolver in (hang, fail, lambda host, port: [], lambda host, port: ["not an address"]):
        with pytest.raises(Stop) as ended:
            Guard(resolver).check(target, (), seconds=0.05)
        assert (ended.value.trouble.code, ended.value.again) == ("unreachable", True)
    over.set()


def test_localhost_is_refused_without_asking() -> None:
    for host in ("localhost", "LOCALHOST.", "a.localhost", "ⓛocalhost"):
        with pytest.raises(Stop) as ended:
            _guard("8.8.8.8").check(read_address(f"http://{host}/"), (), seconds=1)
        assert ended.value.trouble.values["reason"] == "house"


def test_random_numbers_as_hosts_read_like_inet_aton() -> None:
    import socket

    rng = random.Random(5)
    for _ in range(300):
        text = ".".join(
            rng.choice([str, hex, lambda n: "0" + oct(n)[2:]])(rng.randrange(256))
            for _ in range(rng.randint(1, 4))
        )
        assert read_address(f"http://{text}/").host == socket.inet_ntoa(socket.inet_aton(text))
