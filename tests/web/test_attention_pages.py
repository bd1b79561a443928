"""Pages of attention: health of the base, promises, campaigns; every state of the replay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from browser import Browser
from fake import NOW, FakeWorkspace
from fake_attention import report, reports

from primeta.web.app import create_app

PATHS = (
    "/attention",
    "/attention?channel=email",
    "/attention/promises",
    "/attention/promises/few-offers",
    "/attention/promises/news%2Fonly",
    "/attention/promises/love",
    "/attention/campaigns",
    "/attention/campaigns?kind=programme&sort=broken&only=sure",
    "/attention/campaigns/campaign/autumn%2050%25",
    "/attention/campaigns/campaign/digest",
)


def words(answer: httpx.Response) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", text).replace("&quot;", '"').replace("&#39;", "'")


@pytest.mark.parametrize("path", PATHS)
def test_every_page_answers_without_a_hole(read: Callable[[str], httpx.Response], path: str):
    answer = read(path)
    assert answer.status_code == 200
    assert not re.search(r"\b(?:nan|None|undefined|inf)\b", words(answer))


def test_the_base_is_told_in_a_sentence_first(read: Callable[[str], httpx.Response], language: str):
    # push: 20% in August, 33.4% in October; of 1,000 by the best channel 40% may be sold to
    text = words(read("/attention"))
    if language == "en":
        assert (
            "About every third customer probably no longer looks at push; in August 2026 it was every fifth."
            in text
        )
        assert "Today you may sell to 400 customers and send only useful messages to 360 customers" in text
    else:
        assert (
            "Примерно каждый третий клиент, похоже, больше не смотрит пуши; в августе 2026 это был каждый пятый."
            in text
        )
        assert "Сегодня продавать можно 400 клиентам" in text


def test_the_picture_of_months_says_its_numbers(browser: Browser):
    text = browser.get("/attention").text
    label = re.search(r'<svg[^>]*class="marks"[^>]*aria-label="([^"]*)"', text)
    assert label
    assert "useful only 36.0%" in label[1]


def test_a_causal_verb_stands_only_after_a_lottery(browser: Browser):
    drawn = words(browser.get("/attention/campaigns/campaign/autumn%2050%25"))
    assert (
        "With each 1,000 messages “autumn 50%” spent as much credit as 84 customers" in drawn
    )  # 42 of 500 messages
    seen = words(browser.get("/attention/campaigns/campaign/digest"))
    assert "Around “digest” credit rose" in seen
    assert "earned" not in seen
    assert "spent" not in seen


def test_what_cannot_be_checked_stands_apart_and_is_not_kept(browser: Browser):
    text = words(browser.get("/attention/promises"))
    assert text.index("Cannot be checked") < text.index("With love")
    assert "Cannot be checked 1 never counted as kept" in text
    assert "not counted as kept" in words(browser.get("/attention/promises/love"))


def test_customers_are_shown_by_pseudonyms_with_a_link(browser: Browser):
    text = browser.get("/attention/promises/few-offers").text
    assert 'href="/attention/customers/C-AAAA-BBBB-CCCC"' in text
    assert 'href="/attention/campaigns/campaign/autumn%2050%25"' in text


def test_money_stands_only_where_the_rules_name_a_loss(workspace: FakeWorkspace, browser: Browser):
    assert "₽38k" in words(browser.get("/attention/campaigns"))  # 42 × 900
    workspace.attention.told = reports(report(loss=float("nan")))
    text = words(browser.get("/attention/campaigns"))
    assert "₽" not in text.replace("₽19.5", "")
    assert "Money" not in text


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sort=spent", "autumn 50%"),
        ("sort=earned", "digest"),
        ("sort=nonsense&page=x&kind=y", "autumn 50%"),
        ("page=99", "autumn 50%"),
    ],
)
def test_campaigns_stand_in_the_asked_order(browser: Browser, query: str, first: str):
    rows = re.findall(
        r'<th scope="row" class="full">(?:<a[^>]*>)?([^<]*)',
        browser.get(f"/attention/campaigns?{query}").text,
    )
    assert rows[0] == first


@pytest.mark.parametrize("path", ["/attention", "/attention/promises", "/attention/campaigns"])
def test_without_messages_the_page_says_what_to_do(new: Browser, path: str):
    text = new.get(path).text
    assert "[tables.messages]" in text
    assert 'href="/data"' in text


@pytest.mark.parametrize("path", ["/attention", "/attention/promises", "/attention/campaigns"])
def test_before_the_first_replay_there_is_a_button(workspace: FakeWorkspace, browser: Browser, path: str):
    workspace.attention.told = None
    workspace.attention.state = replace(workspace.attention.state, kept="", at=None)
    text = browser.get(path).text
    assert "Work it out" in text
    assert '<form method="post" action="/attention">' in text


def test_a_running_job_is_shown_and_a_failed_one_says_why(workspace: FakeWorkspace, browser: Browser):
    state = workspace.attention.state
    workspace.attention.state = replace(state, job="j-1")
    assert 'href="/jobs/j-1"' in browser.get("/attention").text
    workspace.attention.state = replace(state, failed="messages: <no such> file")
    text = browser.get("/attention").text
    assert "messages: &lt;no such&gt; file" in text
    assert "Try again" in text
    workspace.attention.state = replace(state, stale=True)
    assert "work it out again" in browser.get("/attention").text


def test_the_button_starts_the_job(workspace: FakeWorkspace, browser: Browser):
    answer = browser.send("/attention", {}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/jobs/")


def test_no_promises_are_no_error(workspace: FakeWorkspace, browser: Browser):
    workspace.attention.told = reports(report(promises=False))
    assert "No promise is named" in words(browser.get("/attention/promises"))
    assert browser.get("/attention/promises/none").status_code == 404


def test_where_credit_cannot_be_told_the_page_says_why(workspace: FakeWorkspace, browser: Browser):
    workspace.attention.told = reports(replace(report(), health=None, why_not="no-reactions"))
    text = words(browser.get("/attention"))
    assert "Credit cannot be told" in text
    assert "[tables.reactions]" in text


@pytest.mark.parametrize("what", ["health", "promises", "campaigns"])
def test_the_api_gives_the_documents_of_the_terminal(workspace: FakeWorkspace, browser: Browser, what: str):
    document = browser.get(f"/api/v1/attention/{what}").json()
    assert document["at"] == "2026-11-16T06:00:00Z"
    workspace.attention.told = None
    assert browser.get(f"/api/v1/attention/{what}").status_code == 404


def test_names_of_campaigns_and_promises_are_never_rendered_as_markup(workspace: FakeWorkspace):
    told = report()
    bad = replace(told.spent[0], sent=replace(told.spent[0].sent, name="<script>alert(1)</script>"))
    workspace.attention.told = reports(replace(told, spent=(bad,)))
    browser = Browser(create_app(workspace, now=lambda: NOW))
    assert "<script>alert" not in browser.get("/attention/campaigns").text


def test_the_page_of_a_campaign_or_promise_leads_to_the_list_where_nothing_is_kept(
    workspace: FakeWorkspace, browser: Browser
):
    workspace.attention.told = None
    for place, of in (("campaigns", "campaign/spring"), ("promises", "few-offers")):
        answer = browser.get(f"/attention/{place}/{of}", follow=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"/attention/{place}#")
