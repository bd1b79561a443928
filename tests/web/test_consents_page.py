"""Consents in the browser: coverage by hand-counted customers, proofs that fit and that do not, wishes, the chain."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from browser import Browser, Page

from primeta.attention.consent_counts import ConsentCounts
from primeta.attention.fold import fold
from primeta.attention.ledger import Event
from primeta.attention.proof import proof_of
from primeta.store.attention_state import pack, unpack
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, load_entries
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.attention_coverage import check_chain, count_consents, coverage
from primeta.workspace.attention_proofs import entry_proof
from primeta.workspace.attention_wishes import settle_wish

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXT = "Yes, write me <b>offers</b>"
HERE = "/attention/consents"
EDIT = "/attention/policy/edit"


def said(
    who: str, state: str, channel: str = "", *, days: float = 20, key: str = "", **more: object
) -> Event:
    proof = {"text": TEXT, "version": "v2", "surface": "checkout"} if state == "given" else {}
    payload = {"processing": "marketing", "channel": channel, "state": state, **proof, **more}
    return Event(
        key=key or f"{who}-{state}-{channel}-{days}",
        kind="consent",
        customer_id=who,
        happened_at=NOW - timedelta(days=days),
        payload=payload,
    )


def touch(who: str, channel: str, days: float, purpose: str = "offer") -> Event:
    return Event(
        key=f"t-{who}-{channel}-{days}",
        kind="touch",
        customer_id=who,
        happened_at=NOW - timedelta(days=days),
        payload={"message_id": f"m-{who}-{days}", "channel": channel, "purpose": purpose},
    )


def wish(who: str, means: str, *channels: str) -> Event:
    payload = {"means": means, "sentence": "Stop <i>texting</i> me", "channels": list(channels)}
    return Event(
        key=f"w-{who}", kind="wish", customer_id=who, happened_at=NOW - timedelta(days=3), payload=payload
    )


LEDGER = [
    # a: proven everywhere · b: proven on push, the rest never · c: a claim · d: opted out of push, proven elsewhere
    said("a", "given"), touch("a", "push", 2),
    said("b", "given", "push"), touch("b", "email", 2),
    said("c", "given", surface="", key="claim"), touch("c", "push", 3), touch("c", "push", 4, "service"),
    said("d", "given"), said("d", "withdrawn", "push", days=10), touch("d", "push", 5), touch("d", "push", 15),
    # e: the same moment says yes and no · f: a claim after an opt-out, written to long ago
    said("e", "given"), said("e", "withdrawn"),
    said("f", "withdrawn"), said("f", "given", days=5, surface="", key="claim-f"), touch("f", "push", 60),
]  # fmt: skip


@pytest.fixture
def ws(tmp_path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Team"\n')
    ws = open_workspace(tmp_path)
    append_all(ws.database, LEDGER, now=NOW - timedelta(hours=1))
    yield ws
    ws.close()


@pytest.fixture
def site(ws):
    return Browser(create_app(ws, now=lambda: NOW))


def test_coverage_counts_each_customer_once_on_each_channel(ws):
    count_consents(ws, now=NOW, by="Anna")
    told = coverage(ws).as_dict()["counted"]
    rows = {row.pop("channel"): row for row in told["channels"]}
    assert rows["push"] == {"proven": 2, "accepted": 0, "claimed": 1, "withdrawn": 3, "never": 0}
    assert rows["email"] == {"proven": 2, "accepted": 0, "claimed": 1, "withdrawn": 2, "never": 1}
    # b by email and c by push without any proof ever, d by push after he took it back; service is none of it.
    assert (told["written_without"], told["written_after"], told["messages_without"]) == (2, 1, 3)
    assert (told["same_moment"], told["claimed_after"], told["customers"]) == (1, 1, 6)
    assert [(row["version"], row["surface"], row["customers"]) for row in told["texts"]] == [
        ("v2", "checkout", 3)
    ]


def test_a_consent_that_came_after_a_message_neither_hides_nor_proves_anything():
    # Given 5 days ago, messages 10 and 2 days ago: whether there was an earlier consent the state does not tell.
    entries = [said("x", "given", days=5), touch("x", "push", 10), touch("x", "push", 2)]
    counts = ConsentCounts(at=NOW)
    from primeta.attention.chain import salts
    from primeta.attention.records import Entry

    made = [
        Entry(
            number=n, key=event.key, kind=event.kind, customer_id="x", happened_at=event.happened_at, learnt_at=NOW,
            payload={**event.payload, "text_hash": "h"}, salt=salt, commitment="", chain="", by="",
        )
        for n, (event, salt) in enumerate(zip(entries, salts(3), strict=True), 1)
    ]  # fmt: skip
    state = fold(made)
    counts.add(state.consents, [(seen.at, seen.channel, seen.purpose) for seen in state.touches])
    assert counts.messages_without == 0


def test_the_page_tells_what_was_counted_and_what_came_since(site, ws):
    assert "consents were not counted yet" in site.get(HERE).text
    count_consents(ws, now=NOW, by="Anna")
    append_all(ws.database, [said("g", "given")], now=NOW)
    page = site.get(HERE).text
    assert "33% of customers may be written to by" in page
    assert "1 entry since" in page
    assert "Written to after they had taken their consent back" in page
    assert "The chain was never checked" in page
    check_chain(ws, now=NOW, by="Boris")
    assert "The chain is whole" in site.get(HERE).text
    assert "Boris" in site.get(HERE).text


def test_a_button_starts_the_job_and_the_count_says_who_asked(site, ws):
    answer = site.send(f"{HERE}/verify", {}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/jobs/j-")
    check_chain(ws, now=NOW, by="job")
    assert coverage(ws).as_dict()["checked"]["by"] == "page"


def test_proofs_of_a_customer_are_found_by_id_and_shown_by_pseudonym(site, ws):
    pseudonym = keys_of(ws.database, now=NOW).pseudonym("d")
    answer = site.send(f"{HERE}/search", {"customer": "d"}, follow=False)
    assert answer.headers["location"].partition("#")[0] == f"{HERE}/of/{pseudonym}"
    page = site.get(f"{HERE}/of/{pseudonym}").text
    assert "Yes, write me &lt;b&gt;offers&lt;/b&gt;" in page
    assert "Consent withdrawn" in page
    assert "agreed to marketing, but not on every channel" in page
    missing = site.send(f"{HERE}/search", {"customer": "nobody at all"}, follow=False)
    assert missing.status_code == 404
    assert "nobody at all" not in missing.text
    assert site.get(f"{HERE}/of/C-0000-0000-0000").status_code == 404


def test_anybody_can_compute_the_whole_proof_again(site, ws):
    number = next(entry.number for entry in load_all(ws, "a") if entry.kind == "consent")
    shown = site.get(f"{HERE}/{number}/proof?format=json").json()
    assert (shown["hash_fits"], shown["unchanged"], shown["chained"]) == (True, True, True)
    assert shown["text_hash"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert "salt" not in shown
    assert "customer_id" not in shown
    assert site.send(f"{HERE}/{number}/proof", {"customer": "b"}, follow=False).status_code == 403
    whole = site.send(f"{HERE}/{number}/proof", {"customer": "a"}, follow=False)
    assert "attachment" in whole.headers["content-disposition"]
    told = whole.json()
    # The formulas of docs/methods/ledger.md, by hand.
    happened, learnt = told["hashed"]["happened_at"], told["hashed"]["learnt_at"]
    parts = f"{len(told['key'])}:{told['key']}7:consent1:a{happened}{told['payload']}"
    commitment = hashlib.sha256(bytes.fromhex(told["salt"]) + parts.encode()).hexdigest()
    assert commitment == told["commitment"]
    link = (
        f"{told['chain_before']}{number}:consent:{happened}{learnt}{len(told['by'])}:{told['by']}{commitment}"
    )
    assert hashlib.sha256(link.encode()).hexdigest() == told["chain"]
    assert json.loads(told["payload"])["state"] == "given"


def load_all(ws, customer):
    with ws.database.read() as connection:
        return load_entries(connection, customer)


def test_a_proof_that_was_tampered_with_says_so(ws):
    entry = load_all(ws, "a")[0]
    before = None
    whole = proof_of(entry, before=before, notices={}, customer="C")
    assert whole.whole
    from dataclasses import replace

    other = {**entry.payload, "text": "Yes, write me anything"}
    changed = proof_of(replace(entry, payload=other), before=before, notices={}, customer="C")
    assert (changed.hash_fits, changed.unchanged, changed.chained) == (False, False, True)
    moved = proof_of(replace(entry, number=5), before=before, notices={}, customer="C")
    assert not moved.chained
    assert not proof_of(replace(entry, by="another"), before=before, notices={}, customer="C").chained


def test_a_message_is_no_proof(site, ws):
    number = next(entry.number for entry in load_all(ws, "a") if entry.kind == "touch")
    assert site.get(f"{HERE}/{number}/proof").status_code == 404
    assert site.get(f"{HERE}/999/proof").status_code == 404
    assert site.get(f"/api/v1{HERE}/{number}/proof").status_code == 404
    assert entry_proof(ws, 1, now=NOW).kind == "given"


def test_a_wish_is_confirmed_corrected_and_released_by_a_person(site, ws):
    append_all(
        ws.database, [wish("a", "stop-channel", "push"), wish("b", "stop-channel", "push"), wish("d", "less-often")], now=NOW
    )  # fmt: skip
    page = site.get(HERE).text
    assert "Stop &lt;i&gt;texting&lt;/i&gt; me" in page
    assert page.count("He means it") == 3
    nobody = site.send(f"{HERE}/wishes", {"wish": "w-a", "verdict": "confirmed", "by": ""}, follow=False)
    assert nobody.status_code == 400
    fixed = {"wish": "w-a", "verdict": "confirmed", "by": "Anna", "channels": "sms"}
    assert site.send(f"{HERE}/wishes", fixed, follow=False).status_code == 303
    state = fold(load_all(ws, "a"))
    assert state.standing("marketing", "sms", at=NOW).state == "withdrawn"
    assert state.standing("marketing", "push", at=NOW).given
    assert unpack(pack(state)) == state
    often = {"wish": "w-d", "verdict": "confirmed", "by": "Anna", "max_per_week": ""}
    assert "How many messages a week did he mean?" in site.send(f"{HERE}/wishes", often, follow=False).text
    site.send(f"{HERE}/wishes", often | {"max_per_week": "2"})
    assert fold(load_all(ws, "d")).preference("max_per_week") == 2
    let_go = {"wish": "w-b", "verdict": "released", "by": "Boris"}
    site.send(f"{HERE}/wishes", let_go)
    assert fold(load_all(ws, "b")).standing("marketing", "push", at=NOW).given
    page = site.get(HERE).text
    assert "confirm after all" in page
    assert "He means it" not in page
    site.send(f"{HERE}/wishes", {"wish": "w-b", "verdict": "confirmed", "by": "Boris", "channels": ""})
    assert not fold(load_all(ws, "b")).standing("marketing", "push", at=NOW).given
    # What a person confirmed only the customer undoes.
    assert site.send(f"{HERE}/wishes", let_go, follow=False).status_code == 409


def test_wishes_and_consents_over_the_api(site, ws):
    append_all(ws.database, [wish("a", "stop-all")], now=NOW)
    waiting = site.get("/api/v1/attention/wishes").json()["waiting"]
    assert [one["key"] for one in waiting] == ["w-a"]
    word = {"wish": "w-a", "verdict": "confirmed", "by": "Anna"}
    assert site.request("POST", "/api/v1/attention/wishes", json=word).json()["waiting"] == []
    assert site.get("/api/v1/attention/consents").json()["counted"] is None
    told = site.request("POST", "/api/v1/attention/consents", json={"customer": "a"}).json()
    assert [proof["kind"] for proof in told["proofs"]] == ["wish-confirmed", "given"]
    assert site.send("/api/v1/attention/wishes", word).status_code == 403
    names = site.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/attention/policy", "/api/v1/attention/wishes", "/api/v1/attention/consents"} <= set(
        names
    )


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_page_is_whole_and_every_field_has_its_label(site, ws, lang):
    append_all(ws.database, [wish("a", "stop-channel", "push"), wish("d", "less-often")], now=NOW)
    count_consents(ws, now=NOW, by="Anna")
    pseudonym = keys_of(ws.database, now=NOW).pseudonym("d")
    for path in (
        HERE,
        f"{HERE}/1/proof",
        f"{HERE}/of/{pseudonym}",
        "/attention/ask",
        "/attention/policy",
        EDIT,
    ):
        answer = site.get(f"{path}?lang={lang}")
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.unbalanced == []
        assert len(page.all("h1")) == 1
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        labelled = {attributes["for"] for attributes in page.all("label") if "for" in attributes}
        fields = [one for tag in ("input", "textarea", "select") for one in page.all(tag)]
        assert all(one.get("id") in labelled for one in fields if one.get("type") not in ("hidden", "radio"))
        assert 'style="' not in answer.text


def test_the_question_is_answered_in_words_and_the_id_is_not_shown_again(site, ws):
    pseudonym = keys_of(ws.database, now=NOW).pseudonym("d")
    form = {"customer": "d", "channel": "push", "purpose": "offer", "at": "2026-11-26 15:00"}
    page = site.send("/attention/ask", form).text
    assert "No, not this" in page
    assert "opted out on 16" in page
    assert f'value="{pseudonym}"' in page
    assert 'value="d"' not in page
    assert f"/attention/customers/{pseudonym}" in page
    night = site.send(
        "/attention/ask", {**form, "customer": "a", "purpose": "useful", "at": "2026-11-26 23:30"}
    ).text
    assert "It is night where he lives" in night
    assert re.search(r"27\sNov\s2026, 09:00", night)
    assert (
        "Yes, it may be sent"
        in site.send("/attention/ask", {**form, "customer": "a", "purpose": "useful"}).text
    )
    wrong = site.send("/attention/ask", {"customer": "", "channel": "", "purpose": "spam", "at": "soon"})
    assert wrong.status_code == 400
    assert set(re.findall(r'id="wrong-f-(\w+)"', wrong.text)) == {"customer", "channel", "purpose", "at"}
    unknown = site.send("/attention/ask", {**form, "customer": "<script>"}).text
    assert "Nothing is known of this customer" in unknown
    assert "<script>alert" not in unknown


def test_a_proof_tells_what_the_customer_wished_and_set(site, ws):
    chosen = Event(
        key="p-a",
        kind="preference",
        customer_id="a",
        happened_at=NOW - timedelta(days=2),
        payload={"max_per_week": 2, "language": "ru", "topics": None},
    )
    append_all(ws.database, [wish("a", "stop-channel", "sms"), chosen], now=NOW)
    settle_wish(ws, "w-a", verdict="confirmed", by="Oleg", channels=("sms", "push"), now=NOW)
    pseudonym = keys_of(ws.database, now=NOW).pseudonym("a")
    told = site.get(f"{HERE}/of/{pseudonym}").text
    assert "Stop &lt;i&gt;texting&lt;/i&gt; me" in told
    assert "nothing by push, sms" in told
    for words in ("At most a week: 2", "Language: Russian", "Only these topics: taken back"):
        assert words in told
    number = next(entry.number for entry in load_all(ws, "a") if entry.kind == "wish-confirmed")
    assert "Stop &lt;i&gt;texting&lt;/i&gt; me" in site.get(f"{HERE}/{number}/proof").text
    assert entry_proof(ws, number, now=NOW).as_dict()["channels"] == ["push", "sms"]
