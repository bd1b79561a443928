"""Pages of the best moment, sequence and discount and of whom to write: what is said, drawn, offered where nothing is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from browser import Browser, Page
from fake import FakeWorkspace
from fake_policy import discount, moment, sequence, whom

from primeta.web.pages.reactivation_whom import _title
from primeta.web.reactivation_policy_rows import heading, lead, option_rows, part
from primeta.web.reader import Reader

KINDS = ("moment", "sequence", "discount", "whom")


def reader(lang: str = "en") -> Reader:
    return Reader(lang=lang, theme="", zone=ZoneInfo("Europe/Moscow"), currency="RUB")


@pytest.mark.parametrize(
    ("found", "en", "ru"),
    [
        (moment(), "Write 14 days after the lapse.", "Пишите через 14 дней после оттока."),
        (moment(recommended=0.0), "Write at once, on the day of the lapse.", "Пишите сразу, в день оттока."),
        (
            moment(recommended="never"),
            "Do not write: no day that was tried earns more than it costs.",
            "Не пишите: ни один из опробованных дней не окупается.",
        ),
        (
            sequence(),
            "Most was earned by: push, then call if silent.",
            "Больше всего принесла цепочка: push, а молчащим затем call.",
        ),
        (
            discount(),
            "Discounts from 10% to 20%, by customer and by day since the lapse.",
            "Скидки от 10% до 20%: смотря кто клиент и сколько дней прошло.",
        ),
        (
            discount(why_not="no-control"),
            "The best discount cannot be told.",
            "Лучшую скидку назвать нельзя.",
        ),
    ],
)
def test_the_heading_says_what_to_do(found, en: str, ru: str):
    assert heading(reader("en"), found).replace("\u00a0", " ") == en
    assert heading(reader("ru"), found).replace("\u00a0", " ") == ru


def test_the_lead_says_what_it_is_worth_what_is_alike_and_how_much_better_anything_could_be():
    told = lead(reader(), moment()).replace("\u00a0", " ")
    assert told.startswith("+₽160 (100 to 220) per lapsed customer in 180 days, against never writing.")
    assert "Days from 7 to 14 cannot be told from it." in told
    # regret_high of the fake is 33
    assert "at most ₽33 more, with 95% certainty" in lead(reader(), discount()).replace("\u00a0", " ")
    assert "Nor can it be told from not writing at all." in lead(
        reader(), moment(best_set=("never", 7.0, 14.0))
    )


def test_rivals_stand_on_one_scale_with_the_recommended_first():
    rows, scale = option_rows(reader(), moment())
    assert [row.mark for row in rows] == ["chosen", "", "", ""]
    # from −20 (at once) to 220 (day 14)
    assert scale.low < -20
    assert scale.high > 220
    assert str(rows[2].figure) == "0"
    assert rows[1].ahead_kind == "gain"
    assert rows[3].ahead_kind == ""


def test_other_sequences_stand_in_the_order_of_their_value():
    rows, _ = option_rows(reader(), sequence())
    assert [row.name for row in rows] == [
        "Push, then call if silent",
        "Email, then push if silent",
        "No contact",
    ]


def test_a_part_is_told_by_day_and_segment():
    assert part(reader(), "7 / loyal") == "Day 7, loyal"
    assert part(reader("ru"), "28") == "День 28"
    assert part(reader(), None) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_draws_its_intervals_and_says_so_in_words(read, language: str, kind: str):
    text = read(f"/reactivation/two-letters/{kind}").text
    page = Page(text)
    drawn = [attributes for tag, attributes in page.elements if attributes.get("data-basis") == "measured"]
    assert len(drawn) >= 2
    tabs = [attributes for tag, attributes in page.elements if attributes.get("aria-current") == "page"]
    assert any(attributes["href"].endswith(f"/{kind}") for attributes in tabs if "href" in attributes)


def test_one_arm_to_all_is_named_in_the_heading():
    assert _title(reader(), whom(recommended="all:reminder")) == "Write to everybody: reminder."
    unsure = whom(recommended="none", recommended_sure=False)
    assert _title(reader(), unsure) == "Write to nobody. It is not certain."


@pytest.mark.parametrize("kind", KINDS[:3])
def test_where_nothing_was_varied_the_page_says_how_to_plan_it(read, kind: str):
    text = read(f"/reactivation/sunday/{kind}").text
    assert f"primeta reactivation {kind} --plan --eligible-per-week 420" in text
    assert text.count('class="button main"') == 0


def test_who_was_left_alone_is_asked_once_and_kept(browser: Browser, workspace: FakeWorkspace):
    text = browser.get("/reactivation/saturday/moment").text
    assert 'action="/reactivation/saturday/control"' in text
    answer = browser.send("/reactivation/saturday/control", {"control": "reminder"}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/reactivation/saturday")
    assert workspace.policies.told == {"saturday": "reminder"}


def test_working_it_out_is_a_job_that_leads_back(browser: Browser):
    answer = browser.send("/reactivation/saturday/moment", {}, follow=False)
    assert answer.status_code == 303
    assert "back=%2Freactivation%2Fsaturday%2Fmoment" in answer.headers["location"]
    assert browser.send("/reactivation/saturday/nonsense", {}).status_code in (404, 422)


def test_a_job_leads_nowhere_outside(browser: Browser):
    place = browser.send("/reactivation/saturday/whom", {}, follow=False).headers["location"]
    identity = place.partition("?")[0]
    text = browser.get(f"{identity}?back=https://elsewhere.example/").text
    assert "https://elsewhere" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_gives_the_document_of_the_command(browser: Browser, workspace: FakeWorkspace, kind: str):
    found = browser.get(f"/api/v1/reactivation/two-letters/{kind}?horizon=90&level=0.9").json()
    assert {"line", "notes", "why_not"} <= found.keys()
    if kind != "whom":
        assert found["kind"] == kind
        assert workspace.policies.asked["horizon_days"] == 90
    assert browser.get(f"/api/v1/reactivation/two-letters/{kind}?horizon=0").status_code == 422
    assert f"/api/v1/reactivation/{{name}}/{kind}" in browser.get("/api/v1/openapi.json").json()["paths"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_works_nothing_out(browser: Browser, workspace: FakeWorkspace, kind: str):
    missing = browser.get(f"/api/v1/reactivation/saturday/{kind}")
    assert workspace.policies.asked["kept_only"] is True
    assert missing.status_code == 404
    job = "whom" if kind == "whom" else "policy"
    assert f'{{"kind": "{job}"}} to /api/v1/jobs' in missing.json()["error"]


@pytest.mark.parametrize("place", ["moment", "whom"])
def test_a_curve_has_a_specification_for_the_local_vega(browser: Browser, place: str):
    assert browser.get(f"/reactivation/two-letters/{place}/chart").status_code == 200
    assert browser.get(f"/reactivation/sunday/{place}/chart").status_code == 404


def test_assignments_that_cannot_be_read_are_complained_about(browser: Browser, workspace: FakeWorkspace):
    assert "page-error" not in browser.get("/reactivation").text
    workspace.policies.problem = "assignments: arm not found"
    assert "assignments: arm not found" in browser.get("/reactivation").text
