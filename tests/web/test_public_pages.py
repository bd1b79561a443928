"""Pages that customers open: GET changes nothing, one POST is enough, what is written has its proof, nothing leaks."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from browser import Browser, Page

from primeta.attention.ledger import Event, text_hash
from primeta.attention.links import Link
from primeta.errors import Locked
from primeta.store.ledger import append_all
from primeta.web import public
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.attention_ledger import customer_entries
from primeta.workspace.attention_links import LinkMaker, new_key

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FILE = """
[workspace]
name = "Tea"
timezone = "Europe/Moscow"
{state}
[attention]
quiet_hours = false
first_useful = 0
promises = "promises.json"
public_url = "https://mail.tea.example"
[attention.preferences]
sender = {{ en = "Northern <Tea>", ru = "Северный чай" }}
contact = "privacy@tea.example"
channels = ["email", "push", "sms"]
languages = ["ru", "en"]
topics.news = {{ en = "New teas", ru = "Новые чаи" }}
topics.offers = {{ en = "Offers", ru = "Скидки" }}
"""
PROMISES = (
    '[{"promise": "two", "text": "At most two e-mails a week", "channel": "email", "max": 2, "window": "7d"}]'
)
GIVEN = {
    "processing": "marketing",
    "state": "given",
    "text": "Yes, write to me",
    "surface": "checkout",
    "language": "en",
}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Site(Browser):
    """The application with its clock, its workspace and links to it."""

    def __init__(self, folder, *, state: str = ""):
        (folder / "primeta.toml").write_text(
            FILE.format(state=f'[state]\nurl = "{state}"\n' if state else "")
        )
        (folder / "promises.json").write_text(PROMISES)
        self.now = NOW
        self.ws = open_workspace(folder)
        super().__init__(create_app(self.ws, now=lambda: self.now), base_url="https://mail.tea.example")

    def token(self, customer: str = "c1", channel: str = "email", **more) -> str:
        maker = LinkMaker(self.ws, now=self.now)
        found = maker.links(Link(customer_id=customer, channel=channel, issued=maker.today, **more))
        return found.unsubscribe_url.rpartition("/")[2]

    def post(self, path: str, form=None, **options) -> httpx.Response:
        return self.request("POST", path, data=form or {}, **options)

    def tell(self, *events: Event) -> None:
        append_all(self.ws.database, events, now=self.now)

    def consent(
        self, customer: str = "c1", channel: str = "", at: datetime = NOW - timedelta(days=9)
    ) -> None:
        payload = {**GIVEN, "channel": channel}
        self.tell(
            Event(
                key=f"k{customer}{channel}",
                kind="consent",
                customer_id=customer,
                happened_at=at,
                payload=payload,
            )
        )

    def entries(self, customer: str = "c1"):
        return customer_entries(self.ws, customer)

    def may_send(self, customer: str = "c1", channel: str = "email", **more):
        asked = {"customer": customer, "channel": channel, "purpose": "useful", **more}
        return self.request(
            "POST", "http://localhost/api/v1/attention/may-send", json=asked, headers={"host": "localhost"}
        ).json()


@pytest.fixture
def site(tmp_path):
    found = Site(tmp_path)
    found.consent()
    yield found
    found.ws.close()


def fields_of(page: Page, act: str) -> dict[str, str]:
    """The hidden fields of the form of an act."""
    found: list[dict[str, str]] = []
    for name, attributes in page.elements:
        if name == "form":
            found.append({})
        elif name == "input" and attributes.get("type") == "hidden" and found:
            found[-1][attributes["name"]] = attributes["value"]
    return next(form for form in found if form.get("act") == act)


@pytest.mark.parametrize("page", ["u", "p", "w"])
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_pages_are_whole_escaped_and_change_nothing(site: Site, page: str, lang: str):
    token = site.token(message_id="m1", programme="news")
    before = site.entries()
    found = site.get(f"/{page}/{token}?lang={lang}")
    assert found.status_code == 200
    seen = Page(found.text)
    assert not seen.unbalanced
    assert f'<html lang="{lang}">' in found.text
    assert "<Tea>" not in found.text
    assert "c1" not in found.text.replace(token, "")
    assert "<script" not in found.text
    assert "style=" not in found.text
    assert "set-cookie" not in found.headers
    assert site.entries() == before
    # A scanner that asks for the head alone, too.
    assert site.request("HEAD", f"/{page}/{token}").status_code == 200
    assert site.entries() == before


def test_headers_keep_the_address_secret(site: Site):
    found = site.get(f"/p/{site.token()}")
    assert found.headers["referrer-policy"] == "no-referrer"
    assert found.headers["cache-control"] == "no-store"
    assert "noindex" in found.headers["x-robots-tag"]
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    style = re.search(r'href="\.\./(u/page-[0-9a-f]+\.css)"', found.text)
    assert style is not None
    sheet = site.get(f"/{style[1]}")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "immutable" in sheet.headers["cache-control"]
    assert sheet.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("how", ["form", "parts", "browser"])
def test_one_post_unsubscribes_from_anywhere_and_at_once(site: Site, how: str):
    assert site.may_send()["allowed"]
    token = site.token(message_id="m1")
    options = {"headers": {"origin": "https://mail.example"}, "follow": False}
    if how == "parts":
        # RFC 8058 §3.1: also as multipart/form-data.
        found = site.request(
            "POST", f"/u/{token}", files={"List-Unsubscribe": (None, "One-Click")}, **options
        )
    else:
        form = ONE_CLICK if how == "form" else {"act": "stop", "lang": "en"}
        found = site.post(f"/u/{token}", form, **options)
    assert found.status_code == 200
    assert "location" not in found.headers
    answer = site.may_send()
    assert (answer["allowed"], answer["rule"]) == (False, "opted-out")
    # Nothing but this channel.
    assert site.may_send(channel="push")["allowed"]
    kept = site.entries()[-1].payload
    assert (kept["processing"], kept["channel"], kept["state"]) == ("marketing", "email", "withdrawn")
    assert kept["surface"] == ("unsubscribe page" if how == "browser" else "one-click")
    assert kept["text_hash"] == text_hash(kept["text"])
    assert kept["version"]
    assert kept["message_id"] == "m1"


def test_a_post_twice_is_one_entry_also_after_a_restart(tmp_path):
    site = Site(tmp_path)
    site.consent()
    token = site.token()
    for _ in range(2):
        assert site.post(f"/u/{token}", ONE_CLICK).status_code == 200
    site.ws.close()
    again = Site(tmp_path)
    again.now = NOW + timedelta(days=400)
    assert again.post(f"/u/{token}", ONE_CLICK).status_code == 200
    assert again.post(f"/u/{token}", {"act": "stop", "lang": "ru"}).status_code == 200
    assert [entry.payload["state"] for entry in again.entries()] == ["given", "withdrawn"]
    assert "Вы отписаны от писем" in again.get(f"/u/{token}?lang=ru").text
    again.ws.close()


def test_on_both_databases_many_at_once_lose_nothing(tmp_path, state_url):
    site = Site(tmp_path, state=state_url)
    # As two processes: each with a state of its own to open, none knows what the other does.
    other = Site(tmp_path, state=state_url)
    tokens = [site.token(f"c{n}") for n in range(12)]
    answers: list[int] = []

    def press(token: str, at: Site) -> None:
        answers.append(at.post(f"/u/{token}", ONE_CLICK).status_code)

    threads = [threading.Thread(target=press, args=(token, at)) for token in tokens for at in (site, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 24
    for n in range(12):
        assert [entry.kind for entry in site.entries(f"c{n}")] == ["consent"]
        assert site.may_send(f"c{n}")["rule"] == "opted-out"
    assert site.ws.verify_ledger(now=NOW).ok
    other.ws.close()
    site.ws.close()


def test_a_reserved_message_is_let_go_and_asking_again_is_refused(site: Site):
    desk = site.ws.desk(now=NOW)
    from primeta.attention.records import Question

    question = Question(customer_id="c1", channel="email", purpose="useful", at=NOW, message_id="m9")
    assert desk.reserve(question, now=NOW, by="test").state == "reserved"
    site.post(f"/u/{site.token()}", ONE_CLICK)
    again = desk.reserve(question, now=NOW, by="test")
    assert again.state == "refused"
    assert again.answer is not None
    assert again.answer.rule == "opted-out"
    desk.close()


def test_undoing_takes_a_consent_that_was_read(site: Site):
    token = site.token()
    done = site.post(f"/u/{token}", {"act": "stop", "lang": "en"})
    form = fields_of(Page(done.text), "start")
    site.now = NOW + timedelta(minutes=1)
    # Without having read it, or having read other words: nothing.
    assert "wording has changed" in site.post(f"/p/{token}", {**form, "shown": ""}).text
    assert site.may_send()["rule"] == "opted-out"
    answer = site.post(f"/p/{token}", form)
    assert "e-mails will come again" in answer.text
    kept = site.entries()[-1].payload
    assert (kept["state"], kept["surface"], kept["language"]) == ("given", "preference page", "en")
    assert "Northern <Tea> sends me advertising by e-mail" in kept["text"]
    assert site.may_send()["allowed"]


def test_everything_on_the_page_of_choices_is_in_force_with_its_proof(site: Site):
    token = site.token()
    form = {
        "act": "choose", "lang": "ru", "often": "2", "topics": "1", "topic": "news", "hours": "9-18", "language": "ru",
    }  # fmt: skip
    answer = site.post(f"/p/{token}", form)
    assert "Сохранено и уже действует" in answer.text
    kept = site.entries()[-1].payload
    assert (kept["max_per_week"], kept["topics"], kept["hours"], kept["language"]) == (
        2,
        ["news"],
        [9, 18],
        "ru",
    )
    assert "Не чаще чем: 2 раза в неделю. О чём: Новые чаи." in kept["text"]
    assert kept["shown_in"] == "ru"
    assert kept["text_hash"] == text_hash(kept["text"])
    assert site.may_send(programme="offers")["rule"] == "preference"
    assert site.may_send(programme="news")["allowed"]
    assert "Ничего не изменилось" in site.post(f"/p/{token}", form).text
    assert len(site.entries()) == 2
    # A break, personalisation, deletion.
    site.post(f"/p/{token}", {"act": "pause", "days": "30", "lang": "en"})
    assert site.may_send(programme="news")["promise"]["name"] == "pause"
    site.post(f"/p/{token}", {"act": "resume", "lang": "en"})
    site.now = NOW + timedelta(seconds=5)
    assert site.may_send(programme="news")["allowed"]
    site.post(f"/p/{token}", {"act": "personal-stop", "lang": "en"})
    assert site.may_send(programme="news", personalised=True)["rule"] == "personalisation"
    assert site.may_send(programme="news")["allowed"]
    site.post(f"/p/{token}", {"act": "delete", "lang": "en"})
    assert site.may_send(programme="news")["rule"] == "wish"
    assert site.ws.wishes(now=site.now, by="test").waiting[0].means == "delete-data"
    assert "Your request to delete your data is recorded" in site.get(f"/p/{token}?lang=en").text


def test_stop_everything_stops_every_channel_and_profiling(site: Site):
    site.post(f"/p/{site.token()}", {"act": "stop-all", "lang": "en"})
    for channel in ("email", "push", "sms", "carrier pigeon"):
        assert site.may_send(channel=channel)["rule"] == "opted-out"
    assert [entry.payload["processing"] for entry in site.entries()[1:]] == ["marketing", "profiling"]
    assert site.may_send(purpose="service")["allowed"]


@pytest.mark.parametrize(
    "form",
    [
        {}, {"act": "erase"}, {"act": "start", "channel": "fax", "shown": "x"}, {"act": "pause", "days": "9999"},
        {"act": "choose", "hours": "9-9"}, {"act": "choose", "often": "-1"}, {"act": "choose", "language": "xx"},
        {"act": "choose", "often": "²"}, {"act": "stop"}, {"act": "stop", "channel": "carrier pigeon"},
    ],
)  # fmt: skip
def test_forms_that_no_page_sends_write_nothing(site: Site, form: dict[str, str]):
    before = site.entries()
    assert site.post(f"/p/{site.token()}", form).status_code == 200
    assert site.entries() == before


def test_a_link_that_is_not_ours_is_a_polite_page_and_writes_nothing(site: Site):
    token = site.token()
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    for page in ("u", "p", "w"):
        for path in (f"/{page}/{wrong}", f"/{page}/x", f"/{page}/", f"/{page}/../{page}/{wrong}"):
            assert site.get(path).status_code == 404
    assert site.post(f"/u/{wrong}", ONE_CLICK).status_code == 404
    assert "Nothing was changed" in site.get(f"/u/{wrong}?lang=en").text
    assert len(site.entries()) == 1


def test_of_the_erased_nothing_is_shown_and_nothing_written(site: Site):
    from primeta.store.keys import keys_of
    from primeta.store.ledger import suppress

    keys = keys_of(site.ws.database, now=NOW)
    with site.ws.database.write() as connection:
        suppress(connection, "gone", since=NOW, reason="asked", number=1, keys=keys)
    token = site.token("gone")
    for page in ("u", "p", "w"):
        found = site.get(f"/{page}/{token}?lang=en")
        assert found.status_code == 200
        assert "We write to you no more" in found.text
    assert site.post(f"/u/{token}", ONE_CLICK).status_code == 200
    assert site.post(f"/p/{token}", {"act": "delete"}).status_code == 200
    assert site.entries("gone") == ()


def test_a_customer_of_whom_nothing_is_known_can_opt_out(site: Site):
    token = site.token("stranger", "sms")
    assert site.get(f"/p/{token}").status_code == 200
    assert "We find no consent" in site.get(f"/w/{token}?lang=en").text
    assert site.post(f"/u/{token}", ONE_CLICK).status_code == 200
    assert site.may_send("stranger", "sms")["rule"] == "opted-out"


def test_links_of_an_earlier_key_stop_and_show_nothing(site: Site):
    old = site.token()
    site.get(f"/u/{old}")
    new_key(site.ws, now=NOW)
    new = site.token()
    # This process learns of the new key by meeting a link of it, or within two seconds.
    site.app = create_app(site.ws, now=lambda: site.now)
    assert site.get(f"/p/{new}").status_code == 200
    for page in ("p", "w"):
        shown = site.get(f"/{page}/{old}?lang=en").text
        assert "This link is an old one" in shown
        assert "checkout" not in shown
        assert "on, with" not in shown
    site.post(f"/p/{old}", {"act": "start", "channel": "email"})
    assert site.may_send()["allowed"]
    assert "This link is an old one" in site.post(f"/p/{old}", {"act": "delete", "lang": "en"}).text
    assert site.post(f"/u/{old}", ONE_CLICK).status_code == 200
    assert site.may_send()["rule"] == "opted-out"
    assert site.post(f"/p/{old}", {"act": "stop-all", "lang": "en"}).status_code == 200
    assert site.may_send(channel="push")["rule"] == "opted-out"


def test_where_the_state_does_not_answer_it_is_said_that_nothing_was_recorded(site: Site, monkeypatch):
    token = site.token()
    site.get(f"/u/{token}")

    def locked(*_args, **_options):
        raise Locked("somebody else holds it")

    monkeypatch.setattr(public.PreferenceDesk, "act", locked)
    found = site.post(f"/u/{token}", ONE_CLICK)
    assert (found.status_code, found.headers["retry-after"]) == (503, "120")
    page = site.post(f"/p/{token}", {"act": "stop", "channel": "push", "lang": "en"})
    assert page.status_code == 503
    assert "This was not recorded" in page.text
    assert "privacy@tea.example" in page.text
    # What he pressed is there to be pressed again.
    assert fields_of(Page(page.text), "stop") == {"act": "stop", "channel": "push", "lang": "en"}
    monkeypatch.setattr(public.PreferenceDesk, "state", locked)
    # The button is there even where nothing can be read.
    assert "Unsubscribe from e-mails?" in site.get(f"/u/{token}?lang=en").text
    assert site.get(f"/p/{token}").status_code == 503


def test_failures_are_logged_without_the_customer_or_the_address(site: Site, monkeypatch, capfd):
    token = site.token("secret-customer")

    def broken(_desk, customer_id, *_args, **_options):
        raise RuntimeError(customer_id)

    monkeypatch.setattr(public.PreferenceDesk, "act", broken)
    assert site.post(f"/u/{token}", ONE_CLICK).status_code == 503
    said = "".join(capfd.readouterr())
    assert "RuntimeError" in said
    assert "secret-customer" not in said
    assert token not in said


def test_the_public_name_reaches_these_pages_and_nothing_else(site: Site):
    assert site.get(f"/u/{site.token()}").status_code == 200
    for path in ("/", "/signals", "/api/v1/signals", "/static/tokens.css", "/api/v1/attention/may-send"):
        assert site.get(path).status_code in (405, 421)
    for host in ("evil.example", "mail.tea.example.evil.example"):
        assert site.get(f"/u/{site.token()}", headers={"host": host}).status_code == 421


def test_the_language_is_the_browsers_and_can_be_switched(site: Site):
    path = f"/u/{site.token()}"
    for accepted, lang in (
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("en-GB", "en"), ("de, ru;q=0.3, en;q=0.7", "en"), ("fr", "en"), ("", "en"),
        ("ru;q=0, en;q=0.1", "en"),
    ):  # fmt: skip
        assert f'<html lang="{lang}">' in site.get(path, headers={"accept-language": accepted}).text
    assert '<html lang="ru">' in site.get(path + "?lang=ru", headers={"accept-language": "en"}).text


def test_why_it_was_sent_is_told_with_consent_check_and_promise(site: Site):
    at = NOW - timedelta(days=1)
    sent = [
        Event(
            key=f"t{n}", kind="touch", customer_id="c1", happened_at=at - timedelta(hours=n),
            payload={"message_id": f"m{n}", "channel": "email", "purpose": "offer", "programme": "offers"},
        )
        for n in range(3)
    ]  # fmt: skip
    check = Event(
        key="d", kind="decision", customer_id="c1", happened_at=at,
        payload={"allowed": True, "rule": "allowed", "message_id": "m0"},
    )  # fmt: skip
    site.tell(*sent, check)
    told = site.get(f"/w/{site.token(message_id='m0', personalised=True)}?lang=en").text
    for words in (
        "an offer, by e-mail, on 25", "“Offers”", "at the checkout", "Yes, write to me", "It was chosen for you",
        "allowed", "At most two e-mails a week", "not kept; we are sorry", "3 in that time",
    ):  # fmt: skip
        assert words in told.replace("\u00a0", " "), words
    kept = site.get(f"/w/{site.token(message_id='m2')}?lang=en").text
    assert ">kept<" in kept
    assert "Whether it was chosen for you is not recorded" in kept
    assert "without asking our rules" in kept
    # After he had opted out it should not have come.
    site.post(f"/u/{site.token()}", ONE_CLICK)
    site.now = NOW + timedelta(hours=1)
    late = Event(
        key="t9", kind="touch", customer_id="c1", happened_at=site.now,
        payload={"message_id": "m9", "channel": "email", "purpose": "offer"},
    )  # fmt: skip
    site.tell(late)
    assert "It should not have been sent" in site.get(f"/w/{site.token(message_id='m9')}?lang=en").text


def test_links_over_the_api(site: Site):
    asked = {"customer": "c1", "channel": "email", "message_id": "m1", "purpose": "offer"}

    def post(body):
        return site.request(
            "POST", "http://localhost/api/v1/attention/links", json=body, headers={"host": "localhost"}
        )

    one = post(asked).json()
    assert (
        one["unsubscribe_url"] == f"https://mail.tea.example/u/{site.token(message_id='m1', purpose='offer')}"
    )
    assert one["headers"]["List-Unsubscribe"] == f"<{one['unsubscribe_url']}>"
    many = post({"messages": [asked, {**asked, "channel": "push"}]}).json()["links"]
    assert many[0] == one
    assert many[1]["headers"] == {}
    refused = post({"messages": [asked, {"channel": "push"}]})
    assert refused.status_code == 400
    assert "message 2" in refused.json()["error"]


def test_the_message_by_whose_link_he_stopped_has_driven_him_away(site: Site):
    sent = Event(
        key="t", kind="touch", customer_id="c1", happened_at=NOW - timedelta(hours=2),
        payload={"message_id": "m1", "channel": "email", "purpose": "offer"},
    )  # fmt: skip
    site.tell(sent)
    token = site.token(message_id="m1")
    for _ in range(2):
        site.post(f"/u/{token}", ONE_CLICK)
    # Another channel is not this message's doing.
    site.post(f"/p/{token}", {"act": "stop", "channel": "push"})
    assert [entry.kind for entry in site.entries()] == ["consent", "touch", "reaction", "consent", "consent"]
    reaction = site.entries()[2].payload
    assert (reaction["message_id"], reaction["kind"], reaction["channel"]) == ("m1", "unsubscribed", "email")
    from primeta.attention.credit_kept import credit_events

    assert [event.kind for event in credit_events(site.entries())] == ["touch", "drove-away"]
    # Undone by a consent that was read.
    site.now = NOW + timedelta(minutes=1)
    site.post(f"/p/{token}", fields_of(Page(site.get(f"/u/{token}?lang=en").text), "start"))
    assert site.may_send()["allowed"]


def test_an_audience_and_why_know_that_he_refused_personalisation(site: Site, tmp_path):
    from primeta.attention.records import Question

    site.post(f"/p/{site.token()}", {"act": "personal-stop"})
    (tmp_path / "audience.csv").write_text("customer_id\nc1\n", encoding="utf-8")
    for personalised, rules in ((True, {"personalisation": 1}), (False, {})):
        asked = Question(customer_id="", channel="email", purpose="useful", at=NOW, personalised=personalised)
        done = site.ws.filter_audience(tmp_path / "audience.csv", asked, out=tmp_path / "out.csv", now=NOW)
        assert done.rules == rules
    site.now = NOW + timedelta(hours=1)
    sent = Event(
        key="t", kind="touch", customer_id="c1", happened_at=site.now,
        payload={"message_id": "m1", "channel": "email", "purpose": "useful"},
    )  # fmt: skip
    site.tell(sent)
    told = site.get(f"/w/{site.token(message_id='m1', personalised=True)}?lang=en").text
    assert "not to use your data for this. We did so all the same" in told
