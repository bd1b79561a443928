"""Space between requests and robots.txt, as RFC 9309 has it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from local_sites import Clock, Site, answer, in_turn, site

from primeta.sources.fetching.address import read_address
from primeta.sources.fetching.client import Fetcher
from primeta.sources.fetching.politeness import Robots, Turns
from primeta.sources.fetching.records import Fetched, Limits, Stop
from primeta.sources.records import Reader, Source, Trouble

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HERE = ("127.0.0.1", "feeds.example")
ONCE = Limits(attempts=1)


@pytest.fixture
def server() -> Iterator[Site]:
    with site() as place:
        place.on("/page", answer(b"page"))
        yield place


def door(clock: Clock, **more: object) -> Fetcher:
    return Fetcher(rng=np.random.default_rng(1), clock=clock, sleep=clock.sleep, **more)  # pyright: ignore[reportArgumentType]


def source(at: str, reader: Reader = "page") -> Source:
    return Source(name="s", reader=reader, kind="competitor", at=at, owner="o", allow=HERE)


def test_requests_to_one_host_are_spaced_over_all_sources_and_other_hosts_do_not_wait() -> None:
    clock = Clock()
    turns = Turns(clock=clock, sleep=clock.sleep, spacing_seconds=2)
    for host in ("a", "a", "b", "a"):
        turns.wait(host, longest_seconds=60)
    assert clock.slept == [2, 2]
    turns.wait("a", crawl_delay=30, longest_seconds=60)
    turns.wait("a", longest_seconds=60)
    assert clock.slept == [2, 2, 2, 30]
    turns.hold("b", 100)
    with pytest.raises(Stop) as ended:
        turns.wait("b", longest_seconds=60)
    assert ended.value.trouble.values["seconds"] == 100


def test_robots_are_asked_for_once_a_day_and_obeyed(server: Site) -> None:
    clock = Clock()
    server.on("/robots.txt", answer(b"User-agent: *\nDisallow: /private\nCrawl-delay: 5"))
    server.on("/private/x", answer(b"x"))
    there = door(clock)
    assert isinstance(there.fetch(source(server.url("/page")), now=NOW), Fetched)
    got = there.fetch(source(server.url("/private/x")), now=NOW)
    assert isinstance(got, Trouble)
    assert (got.code, got.values["reason"], got.permanent) == ("robots", "rule", False)
    # robots.txt, 2 s, the page; then 5 s as robots.txt asks
    there.fetch(source(server.url("/page")), now=NOW + timedelta(hours=23))
    assert clock.slept == [2, 5]
    assert server.seen == ["/robots.txt", "/page", "/page"]
    there.fetch(source(server.url("/page")), now=NOW + timedelta(hours=25))
    assert server.seen.count("/robots.txt") == 2


def test_a_feed_that_a_person_named_is_bound_by_rules_that_name_primeta_only(server: Site) -> None:
    server.on("/feed", answer(b"feed"))
    server.on("/robots.txt", answer(b"User-agent: *\nDisallow: /"))
    assert isinstance(door(Clock()).fetch(source(server.url("/feed"), "feed"), now=NOW), Fetched)
    # an article found in that feed is a page like any other
    linked = door(Clock()).fetch(source(server.url("/feed"), "feed"), url=server.url("/page"), now=NOW)
    assert isinstance(linked, Trouble)
    assert linked.code == "robots"
    server.on("/robots.txt", answer(b"User-agent: primeta\nDisallow: /feed"))
    named = door(Clock()).fetch(source(server.url("/feed"), "feed"), now=NOW)
    assert isinstance(named, Trouble)
    assert named.code == "robots"


@pytest.mark.parametrize(
    ("status", "open_"),
    # RFC 9309 §2.3.1.3 and §2.3.1.4; 429 as Google reads it
    [(404, True), (403, True), (401, True), (410, True), (500, False), (503, False), (429, False)],
)
def test_what_the_status_of_robots_txt_means(server: Site, status: int, open_: bool) -> None:
    server.on("/robots.txt", answer(b"", status=status))
    got = door(Clock()).fetch(source(server.url("/page")), now=NOW, limits=ONCE)
    if open_:
        assert isinstance(got, Fetched)
    else:
        assert isinstance(got, Trouble)
        assert (got.code, got.values["reason"]) == ("robots", "unreachable")
        assert server.seen == ["/robots.txt"]


def test_an_older_copy_serves_while_robots_txt_cannot_be_had(server: Site) -> None:
    """RFC 9309 §2.4."""
    server.on("/robots.txt", in_turn(answer(b"User-agent: *\nDisallow: /shut"), answer(status=500)))
    server.on("/shut", answer(b"x"))
    there = door(Clock())
    assert isinstance(there.fetch(source(server.url("/page")), now=NOW), Fetched)
    later = NOW + timedelta(days=2)
    assert isinstance(there.fetch(source(server.url("/page")), now=later), Fetched)
    got = there.fetch(source(server.url("/shut")), now=later)
    assert isinstance(got, Trouble)
    assert got.code == "robots"


def test_five_redirects_of_robots_txt_are_followed_and_endless_ones_open(server: Site) -> None:
    """RFC 9309 §2.3.1.2: at least five, even to another place."""
    server.on("/robots.txt", answer(status=301, Location="/r1"))
    for step in range(1, 5):
        server.on(f"/r{step}", answer(status=302, Location=f"/r{step + 1}"))
    server.on("/r5", answer(b"User-agent: *\nDisallow: /page"))
    got = door(Clock(), spacing_seconds=0.0).fetch(source(server.url("/page")), now=NOW)
    assert isinstance(got, Trouble)
    assert got.values["reason"] == "rule"
    server.on("/r5", answer(status=302, Location="/r6"))
    assert isinstance(door(Clock(), spacing_seconds=0.0).fetch(source(server.url("/page")), now=NOW), Fetched)


def test_robots_txt_is_fetched_under_the_same_guard(server: Site) -> None:
    server.on("/robots.txt", answer(status=302, Location=server.url("/inner", host="127.0.0.2")))
    got = door(Clock()).fetch(source(server.url("/page")), now=NOW)
    assert isinstance(got, Trouble)
    assert (got.code, got.values["reason"]) == ("robots", "unreachable")
    assert "/inner" not in server.seen
    # an inner name is told as such, not as a matter of robots.txt
    private = Source(name="s", reader="page", kind="law", at="http://a.example/", owner="o")
    got = door(Clock(), resolver=lambda host, port: ["10.0.0.1"]).fetch(private, now=NOW)
    assert isinstance(got, Trouble)
    assert got.code == "refused-address"


def test_a_redirect_into_what_robots_shut_is_not_followed(server: Site) -> None:
    server.on("/robots.txt", answer(b"User-agent: *\nDisallow: /shut"))
    server.on("/go", answer(status=302, Location="/shut"))
    server.on("/shut", answer(b"x"))
    got = door(Clock()).fetch(source(server.url("/go")), now=NOW)
    assert isinstance(got, Trouble)
    assert got.code == "robots"
    assert "/shut" not in server.seen


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /page",
        b"User-agent: *\r\nDisallow: /page\r\n" + b"# " + b"x" * 2**20,
        b"\xff\xfe\x00" * 99 + b"\nUser-agent: *\nDisallow: /page",
        b"User-agent: *\nDisallow: /" + b"*a" * 5000 + b"\nDisallow: /page",
    ],
)
def test_odd_robots_are_read_as_far_as_they_can(server: Site, content: bytes) -> None:
    server.on("/robots.txt", answer(content))
    got = door(Clock()).fetch(source(server.url("/page")), now=NOW)
    assert isinstance(got, Trouble)
    assert got.code == "robots"


def test_the_day_outlives_the_process_for_the_open_internet(server: Site, tmp_path: Path) -> None:
    """Kept on disk; a proxy stands in for the internet here."""
    server.on("http://far.example/robots.txt", answer(b"User-agent: *\nDisallow: /shut"))
    server.on("http://far.example/page", answer(b"x"))
    far = Source(name="s", reader="page", kind="law", at="http://far.example/page", owner="o")
    for hours, asked in ((0, 1), (23, 1), (25, 2)):
        there = door(Clock(), proxy=server.url(""), robots_folder=tmp_path)
        assert isinstance(there.fetch(far, now=NOW + timedelta(hours=hours)), Fetched)
        assert server.seen.count("http://far.example/robots.txt") == asked
    for record in tmp_path.iterdir():
        record.write_text("{")
    assert isinstance(
        door(Clock(), proxy=server.url(""), robots_folder=tmp_path).fetch(far, now=NOW), Fetched
    )


def test_rules_of_many_hosts_do_not_fill_memory() -> None:
    """512 KB of rules take some 20 MB parsed (measured with protego 0.7): 4 MB of text are kept at most."""
    robots = Robots()
    rules = "User-agent: *\n" + "Disallow: /a-path-that-is-long-and-longer\n" * 12_000
    text = SimpleNamespace(status=200, content=rules.encode())
    for number in range(12):
        target = read_address(f"http://h{number}.example/x")
        assert robots.check(target, named_by_person=False, now=NOW, ask=lambda _: text) == 0
    assert sum(kept.size for kept in robots._known.values()) <= 4 * 2**20
    assert "http://h11.example" in robots._known
