"""Signed links: nobody reads or makes one without the secret, a changed letter is never accepted, old keys open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.links import Link, Sealer, headers
from primeta.config import public_address
from primeta.errors import BadInput

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
SEALER = Sealer({1: SECRET})
LINK = Link(
    customer_id="c-0042",
    channel="email",
    purpose="offer",
    programme="autumn",
    message_id="m-7",
    personalised=False,
    issued=date(2026, 11, 26),
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
plain = st.text(st.characters(codec="utf-8", exclude_characters="\0\x1f"), max_size=60)
links = st.builds(
    Link,
    customer_id=plain.filter(bool),
    channel=plain.map(lambda text: text.strip().lower()),
    purpose=st.sampled_from(["", "service", "useful", "offer", "press"]),
    programme=plain,
    message_id=plain,
    personalised=st.sampled_from([None, True, False]),
    issued=st.dates(date(2020, 1, 1), date(2199, 1, 1)),
)


@given(links)
@settings(max_examples=60, deadline=None)
def test_what_is_sealed_is_opened(link: Link):
    if link.channel != link.channel.strip().lower() or max(map(len, (link.channel, link.programme))) > 256:
        return
    token = SEALER.token(link)
    assert SEALER.open(token) == link
    # An address: letters, digits, - and _, whole groups of sixteen, so that no letter has a loose bit.
    assert set(token) <= set(LETTERS)
    assert len(token) % 16 == 0


@given(st.integers(0, 10_000), st.sampled_from(LETTERS))
@settings(max_examples=150, deadline=None)
def test_a_tampered_token_is_never_accepted(place: int, letter: str):
    token = SEALER.token(LINK)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    assert SEALER.open(changed) == (LINK if changed == token else None)


@given(st.text(LETTERS + "=+/ .%\n", max_size=200) | st.binary(max_size=99).map(lambda raw: raw.hex()))
@settings(max_examples=150, deadline=None)
def test_nothing_else_is_accepted_either(text: str):
    assert SEALER.open(text) is None


@pytest.mark.parametrize("end", ["", "AAAA", "A" * 16, "=", "\n", "%3D"])
def test_a_token_cut_off_or_with_more_at_its_end_is_none(end: str):
    token = SEALER.token(LINK)
    assert SEALER.open(token[:-16] + end) is None
    assert SEALER.open(token + end) == (LINK if not end else None)


def test_the_customer_cannot_be_read_and_two_messages_cannot_be_told_to_be_his():
    import base64

    one = SEALER.token(LINK)
    two = SEALER.token(replace(LINK, message_id="m-8"))
    sealed = base64.urlsafe_b64decode(one)
    for part in (LINK.customer_id, LINK.channel, LINK.programme, LINK.message_id):
        assert part.encode() not in sealed
    # But for the number of the key they have nothing in common: at most as many equal bytes as chance gives.
    other = base64.urlsafe_b64decode(two)
    assert sum(a == b for a, b in zip(sealed[1:], other[1:], strict=True)) <= 6


def test_the_same_message_has_the_same_link_so_that_it_can_be_made_again():
    assert SEALER.token(LINK) == Sealer({1: SECRET}).token(LINK)


def test_another_secret_opens_nothing():
    assert Sealer({1: OTHER}).open(SEALER.token(LINK)) is None


def test_links_of_an_earlier_key_open_and_say_so():
    later = Sealer({1: SECRET, 2: OTHER})
    assert later.open(SEALER.token(LINK)) == replace(LINK, retired=True)
    assert later.open(later.token(LINK)) == replace(LINK, key=2)
    # Whoever does not know the new key cannot read it.
    assert SEALER.open(later.token(LINK)) is None


def test_the_length_says_little_about_the_customer():
    lengths = {len(SEALER.token(replace(LINK, customer_id="c" * n))) for n in range(1, 12)}
    assert len(lengths) <= 2


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, customer_id=""),
        replace(LINK, purpose="spam"),
        replace(LINK, customer_id="a\x1fb"),
        replace(LINK, programme="a\0"),
        replace(LINK, message_id="m" * 257),
        replace(LINK, issued=date(2019, 12, 31)),
    ],
)
def test_what_no_link_can_carry_is_refused(link: Link):
    with pytest.raises(BadInput):
        SEALER.token(link)


def test_headers_are_those_of_rfc_2369_and_rfc_8058():
    # RFC 8058 §8.1, the example: the address in angle brackets, and the pair.
    assert headers("https://example.com/unsubscribe/opaquepart") == {
        "List-Unsubscribe": "<https://example.com/unsubscribe/opaquepart>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://mail.shop.example",
        "https://shop.example:8443/mail",
        "http://127.0.0.1:8765",
        "http://localhost",
        "http://[::1]:1",
        "http://10.0.0.7",
        "http://crm",
        "http://a.test:80",
    ],
)
def test_addresses_that_customers_can_reach(url: str):
    assert public_address(url + "/") == url


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "http://shop.com", "http://8.8.8.8", "ftp://shop.example", "https://", "https://a b", "https://x/?a=1",
     "https://x/#y", "https://u:p@x", "https://x/<y>", "http://127.0.0.1.evil.com"],
)  # fmt: skip
def test_other_addresses_are_refused(url: str):
    with pytest.raises(BadInput):
        public_address(url)
