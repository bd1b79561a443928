"""Pages of reactivation: the finding by rule, five rungs on one scale, what cannot be known, the report, the API."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from browser import Browser, Page
from fake import NOW, FakeWorkspace
from fake_reactivation import NAN, campaign, facts, lapse, without_control

from primeta.reactivation.ladder_sentences import about, gives_discounts
from primeta.reactivation.ladder_words import NEXT
from primeta.reactivation.records import LadderFacts, Note
from primeta.web.app import create_app
from primeta.web.reactivation_finding import finding, lead
from primeta.web.reactivation_rows import needless, of_all, scale_for, tags_of
from primeta.web.reactivation_words import advice
from primeta.web.reader import Reader
from primeta.workspace.reactivation_views import KeptLadder


def reader(lang: str = "en") -> Reader:
    return Reader(lang=lang, theme="", zone=ZoneInfo("Europe/Moscow"), currency="RUB")


def leaders(**best: str | None) -> dict[str, Any]:
    """Rung 1 to 4 → the leader, and all of them sure."""
    whole = {"rung1": "discount", "rung2": None, "rung3": None, "rung4": None, **best}
    return {"best": whole, "best_sure": dict.fromkeys(whole, True)}


def scaled(of: LadderFacts, *numbers: int, by: float, arms: tuple[str, ...] = ()) -> LadderFacts:
    """The same with values and intervals of some rungs multiplied."""

    def changed(rung):
        if rung.rung not in numbers or (arms and rung.arm not in arms):
            return rung
        ends = sorted((rung.low * by, rung.high * by))
        value = rung.value_per_assigned * by
        return replace(rung, value_per_assigned=value, low=ends[0], high=ends[1], money=value * rung.n)

    return replace(of, rungs=tuple(changed(rung) for rung in of.rungs))


# What was found


@pytest.mark.parametrize(
    ("made", "en", "ru"),
    [
        (
            facts(),
            "“discount” won the month. “reminder” is winning the year.",
            "Месяц выиграла ветка «discount». Год выигрывает ветка «reminder».",
        ),
        (
            without_control(),
            "What this campaign brought cannot be known: it had no control group.",
            "Что принесла эта кампания, узнать нельзя: у неё не было контрольной группы.",
        ),
        (
            facts(sample_ratio_p=1e-9),
            "The arms are not as large as the lottery should have made them: trust no rung yet.",
            "Размеры веток не те, что должен был дать жребий: пока не верьте ни одной ступени.",
        ),
        (
            # the reminder leads on rung 2 as well: rung 2 of the two arms is swapped by its scale
            scaled(
                facts(**leaders(rung2="reminder", rung3="reminder", rung4="reminder")),
                2,
                by=3.0,
                arms=("reminder",),
            ),
            "“reminder” wins the month and the year.",
            "И месяц, и год выигрывает ветка «reminder».",
        ),
        (
            scaled(facts(**leaders(rung4="control")), 2, 3, 4, by=-1.0, arms=("reminder",)),
            "Over the year, no arm can be told from doing nothing.",
            "За год ни одна ветка не отличима от нуля.",
        ),
    ],
    ids=["turn", "no-control", "split", "both", "nothing"],
)
def test_the_heading_says_who_won_what_and_only_where_that_is_sure(made: LadderFacts, en: str, ru: str):
    assert finding(reader("en"), made) == en
    assert finding(reader("ru"), made) == ru


def test_an_arm_that_leads_by_chance_does_not_win():
    unsure = facts(best_sure={"rung1": True, "rung2": True, "rung3": False, "rung4": False})
    assert finding(reader(), unsure) == (
        "“reminder” brings more than doing nothing; whether it is the best arm cannot be told."
    )


def test_every_arm_below_the_control_is_said_plainly():
    worse = scaled(facts(**leaders(rung2="control", rung3="control", rung4="control")), 2, by=-1.0)
    worse = replace(
        worse,
        rungs=tuple(
            replace(rung, low=-90.0, high=-20.0, value_per_assigned=-50.0) if rung.rung == 4 else rung
            for rung in worse.rungs
        ),
    )
    assert finding(reader(), worse) == "Doing nothing brings more than the campaign."


def test_too_early_too_few_and_nothing_at_all_are_told_apart():
    def silent(code: str) -> LadderFacts:
        whole = facts()
        return replace(
            whole,
            rungs=tuple(
                replace(rung, value_per_assigned=NAN, low=NAN, high=NAN, why_not=code)
                if rung.rung > 1
                else rung
                for rung in whole.rungs
            ),
        )

    assert finding(reader(), silent("short-follow-up")).startswith("It is too early")
    assert finding(reader(), silent("small-arm")) == "Too few customers took part to tell anything."
    assert "cannot be told yet" in finding(reader(), silent("no-spread"))


def test_the_lead_holds_the_usual_report_against_the_control():
    # 1.58m / 0.94m of rung 1; rung 4 of the discount: 0.10m (−0.65m to 0.84m)
    assert lead(reader(), facts()) == (
        "In the report that everybody reads (rung 1) “discount” looks 1.7 times better. "
        "Against the control group, over the year, it cannot be told from doing nothing."
    )
    assert "only a control group can say" in lead(reader(), without_control())


# One scale


def test_one_scale_holds_every_end_of_every_rung():
    scale = scale_for(facts())
    # from −0.65m (rung 4, discount) to 2.14m (rung 4, reminder)
    assert scale.low < -0.65e6
    assert scale.high > 2.14e6


def test_arms_of_unequal_size_are_compared_per_customer():
    uneven = facts(n=(12_000, 24_000, 6_000))
    assert of_all(facts())
    assert not of_all(uneven)
    # 1.90m of rung 0 over 24,000 customers
    assert scale_for(uneven).high == pytest.approx(1.9e6 / 24_000, rel=0.3)


def test_the_control_is_grey_and_letters_follow_the_order_of_arms():
    tags = tags_of(reader("ru"), facts(), {"discount": "скидка 10%"})
    assert [(tag.letter, tag.css) for tag in tags.values()] == [("К", ""), ("A", "a"), ("B", "b")]
    assert tags["discount"].what == "скидка 10%"


def test_everyday_markdowns_are_no_needless_discount():
    plain = facts(campaign=campaign(promo_codes={}), behaviour=())
    assert gives_discounts(facts(), "discount")
    assert not gives_discounts(plain, "discount")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_sheet_table_page_and_advice_agree_that_everyday_markdowns_are_not_the_campaigns(lang: str):
    from primeta.reactivation.ladder_result import Ladder
    from primeta.reactivation.report import report_svg

    own = facts()
    plain = replace(own, campaign=replace(own.campaign, promo_codes={}), behaviour=())
    told = {"en": ("everyday", "needless"), "ru": ("обычные", "лишн")}[lang]
    assert told[0] not in Ladder(facts=own).returners_table(lang).text()
    assert told[0] in Ladder(facts=plain).returners_table(lang).text()
    assert told[1] in report_svg(Ladder(facts=own), lang).lower()
    assert told[1] not in report_svg(Ladder(facts=plain), lang).lower()
    assert needless(reader(lang), own, tags_of(reader(lang), own))
    assert not needless(reader(lang), plain, tags_of(reader(lang), plain))
    assert NEXT["discount"][lang] not in [entry.title for entry in advice(reader(lang), plain)]


def test_a_tail_without_a_model_does_not_claim_that_the_rest_is_modelled():
    made = facts()
    rungs = tuple(replace(rung, modelled=NAN) if rung.rung == 4 else rung for rung in made.rungs)
    text = about(replace(made, rungs=rungs), 4, "en")
    assert "modelled" not in text
    assert "only the 36 weeks that were seen are counted" in text.replace("\u00a0", " ")
    assert "modelled" in about(made, 4, "en")


# The page


def test_the_page_draws_claims_hatched_measures_filled_and_models_hollow(read):
    page = Page(read("/reactivation/two-letters").text)
    pictures = [
        attributes for tag, attributes in page.elements if tag == "svg" and "data-basis" in attributes
    ]
    bases = [picture["data-basis"] for picture in pictures]
    # two arms on rungs 0 and 1 and the key; on 2 and 3, 14 traits, the needless discount, two arms in three segments and
    # the key; on 4, two arms in the two segments that have a tail, and the key
    assert bases.count("claim") == 5
    assert bases.count("measured") == 4 + 14 + 1 + 6 + 1
    assert bases.count("model") == 3 + 4
    labelled = [picture.get("aria-label", "") for picture in pictures if picture.get("role") == "img"]
    assert all(re.search(r"\d", label) for label in labelled)


def test_segments_are_told_as_measured_and_to_the_horizon_where_each_has_a_model(read, language: str):
    text = read("/reactivation/two-letters").text
    part = text[text.index('id="segments"') : text.index('id="trap"') if 'id="trap"' in text else None]
    assert part.count("<table") == 2
    assert {"en": "the rest by a model", "ru": "досчитано по модели"}[language] in part
    # too few came back of those who left for quality: the seen part is not shown as an answer of rung 4
    last = part[part.rindex("<table") :]
    assert last.count({"en": "cannot tell", "ru": "сказать нельзя"}[language]) == 2


def test_five_rungs_stand_in_order_with_what_they_assume(read, language: str):
    text = read("/reactivation/two-letters").text
    assert [int(number) for number in re.findall(r"<header><b>(\d)</b>", text)] == [0, 1, 2, 3, 4]
    assert text.count('class="assumes"><p>') == 5
    # reminder: 0.25m on rung 2, 1.06m on rung 3
    away = {"en": "From rung 2: A −₽210k, B +₽810k", "ru": "От ступени 2: A −210 тыс. ₽, B +810 тыс. ₽"}
    assert away[language] in text.replace("\u00a0", " ")


def test_without_a_control_the_page_says_that_nothing_can_be_known(read, language: str):
    page = read("/reactivation/sunday").text
    plain = {
        "en": "Nothing above rung 1 can be known",
        "ru": "Выше ступени 1 про эту кампанию ничего узнать нельзя",
    }
    assert plain[language] in page
    assert page.count({"en": "cannot be known</p>", "ru": "узнать нельзя</p>"}[language]) == 3
    assert 'data-basis="measured"' not in page
    assert "9,400" in page or "9 400" in page.replace("\u00a0", " ")


def test_a_campaign_that_is_not_worked_out_offers_one_act(browser: Browser, workspace: FakeWorkspace):
    page = browser.get("/reactivation/saturday").text
    assert page.count('<form method="post" action="/reactivation">') == 1
    told = browser.send("/reactivation", {}, follow=False)
    assert told.status_code == 303
    assert workspace.job(told.headers["location"].rpartition("/")[2].partition("#")[0]).kind == "ladder"


def test_newer_facts_are_told_and_not_hidden(browser: Browser):
    assert "Newer facts have come" in browser.get("/reactivation/sunday").text
    assert "Newer facts have come" not in browser.get("/reactivation/two-letters").text


def test_a_campaign_that_is_not_there_is_not_found(browser: Browser):
    assert browser.get("/reactivation/nowhere").status_code == 404
    assert browser.get("/reactivation/saturday/report").status_code == 404


def shown(made: LadderFacts) -> str:
    workspace = FakeWorkspace("en")
    view = replace(workspace.campaign("two-letters", now=NOW), kept=KeptLadder(facts=made, at=NOW))
    workspace.campaign = lambda name, now: view  # type: ignore[method-assign]
    return Browser(create_app(workspace, now=lambda: NOW)).get("/reactivation/two-letters").text  # type: ignore[arg-type]


def test_names_are_escaped_everywhere():
    evil = '<b onclick="x">"&'
    made = facts()
    made = replace(
        made,
        arms=("control", evil, "reminder"),
        rungs=tuple(replace(rung, arm=evil) if rung.arm == "discount" else rung for rung in made.rungs),
        curves=tuple(replace(row, arm=evil) if row.arm == "discount" else row for row in made.curves),
        returners=tuple(replace(row, arm=evil) if row.arm == "discount" else row for row in made.returners),
        best={**made.best, "rung1": evil, "rung2": evil},
    )
    page = shown(made)
    assert "<b onclick" not in page
    assert Page(page).unbalanced == []


def test_four_arms_stand_one_under_another():
    made = facts()
    more = tuple(
        replace(row, arm=arm)
        for arm in ("discount", "letter", "reminder", "sms")
        for row in made.rungs
        if row.arm == "reminder"
    )
    behaviour = tuple(
        replace(row, arm=arm)
        for arm in ("discount", "letter", "reminder", "sms")
        for row in made.behaviour
        if row.arm == "reminder"
    )
    page = shown(
        replace(
            made,
            arms=("control", "discount", "letter", "reminder", "sms"),
            n=(12_000, 24_000, 24_000, 24_000, 24_000),
            rungs=more,
            behaviour=behaviour,
        )
    )
    assert page.count('class="arm more"') > 5
    assert "again" in page


def test_notes_that_change_the_reading_are_warnings_and_the_rest_is_small():
    page = shown(
        facts(
            notes=(
                Note("driven-away", {"arm": "discount", "share": 0.02}),
                Note("orders-of-nothing", {"orders": 3}),
            )
        )
    )
    assert re.search(r'class="caution warned">[^<]*drove customers away', page)
    assert re.search(r"<li>3 orders bring nothing", page)


def test_a_net_share_below_zero_is_drawn_as_what_is_missing():
    made = facts()
    page = shown(
        replace(
            made,
            returners=tuple(
                replace(row, induced_share=-0.02, induced_low=-0.03, induced_high=-0.01)
                for row in made.returners
            ),
        )
    )
    assert page.count('class="driven"') == 2
    assert "−2.0" in page


# The report


def test_the_report_is_one_sheet_without_style_or_script(read):
    answer = read("/reactivation/two-letters/report")
    assert answer.status_code == 200
    assert "<style" not in answer.text
    assert "style=" not in answer.text
    assert "<script" not in answer.text
    assert Page(answer.text).unbalanced == []


def test_the_report_is_a_pdf_too(browser: Browser):
    answer = browser.get("/reactivation/two-letters/report.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


# Who is leaving


def test_lapse_shows_states_flow_and_what_days_get_wrong(browser: Browser):
    page = browser.get("/lapse").text
    # 1,500 of 10,000 lapsed; in the last of twelve weeks 191 lapsed and 106 came back
    assert "1,500 of 10,000 customers (15%)" in page
    assert "In the last week 191 lapsed and 106 came back" in page
    # 190 of 300 ordered, though days had called them lapsed
    assert "63%" in page
    assert "fixed 90 days" in page


def test_lapse_that_cannot_be_told_says_so(workspace: FakeWorkspace):
    from fake_reactivation import KeptLapse

    empty = lapse(
        why_not="no-rhythm", flow=(), states=dict.fromkeys(("active", "cooling", "lapsed", "gone"), 0)
    )
    workspace.kept_lapse = lambda: KeptLapse(lapse=empty, at=NOW)  # type: ignore[method-assign]
    page = Browser(create_app(workspace, now=lambda: NOW)).get("/lapse").text  # type: ignore[arg-type]
    assert "Cannot tell: too few customers ever ordered twice" in page


# HTTP


def test_the_api_lists_campaigns_and_gives_the_document_of_the_terminal(browser: Browser):
    listed = browser.get("/api/v1/reactivation").json()["campaigns"]
    assert [(row["name"], row["kind"], row["reached"]) for row in listed] == [
        ("two-letters", "experiment", 4),
        ("saturday", "experiment", None),
        ("sunday", "messages", 1),
    ]
    document = browser.get("/api/v1/reactivation/two-letters").json()
    assert document["best"] == {
        "rung1": "discount",
        "rung2": "discount",
        "rung3": "reminder",
        "rung4": "reminder",
    }
    rung = next(row for row in document["rungs"] if row["rung"] == 3 and row["arm"] == "reminder")
    assert rung["money"] == pytest.approx(1.06e6)


def test_the_api_passes_options_on_and_refuses_what_cannot_be(browser: Browser, workspace: FakeWorkspace):
    browser.get("/api/v1/reactivation/two-letters?window=14&by=age")
    assert (workspace.winback.asked["window_days"], workspace.winback.asked["by"]) == (14, "age")
    assert browser.get("/api/v1/reactivation/two-letters?window=0").status_code == 422
    assert browser.get("/api/v1/reactivation/nowhere").status_code == 404
    assert browser.get("/api/v1/lapse").json()["states"]["lapsed"] == 1_500


def test_the_api_works_nothing_out_and_names_the_job(browser: Browser, workspace: FakeWorkspace):
    missing = browser.get("/api/v1/reactivation/saturday")
    assert missing.status_code == 404
    assert 'post {"kind": "ladder"} to /api/v1/jobs' in missing.json()["error"]
    job = browser.request("POST", "/api/v1/jobs", json={"kind": "ladder"})
    assert (job.status_code, job.json()["kind"], job.json()["state"]) == (202, "ladder", "waiting")
    assert browser.get(f"/api/v1/jobs/{job.json()['id']}").json() == job.json()
    assert browser.request("POST", "/api/v1/jobs", json={"kind": "knit"}).status_code == 422
    assert browser.get("/api/v1/reactivation/sunday").headers["primeta-stale"] == "true"


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("reactivation/two-letters?window=14", "primeta reactivation ladder DIR --experiment two-letters"),
        ("lapse?days=60", "primeta reactivation lapse DIR"),
    ],
)
def test_another_question_than_the_kept_one_is_refused_with_where_to_ask_it(
    browser: Browser, path: str, command: str
):
    refused = browser.get(f"/api/v1/{path}")
    assert refused.status_code == 409
    assert command in refused.json()["error"]


def test_every_kind_of_job_that_the_api_starts_is_one_that_the_worker_does():
    from primeta.web.api import JobKind
    from primeta.web.serve import WORK

    assert set(get_args(JobKind)) == set(WORK)


def test_the_api_is_described(browser: Browser):
    paths = browser.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/reactivation", "/api/v1/reactivation/{name}", "/api/v1/lapse"} <= set(paths)
