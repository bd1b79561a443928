"""Messages to real local servers: mail, Telegram's and Slack's APIs, webhooks.

The host of Telegram and Slack is written into apprise's plugins; the tests point that one constant to a server
on this machine, all else is the plugin's own request over HTTP.
"""

from __future__ import annotations

import logging
import re
import socket

import pytest
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from delivery_servers import Asked, http_service, mail_server

from primeta.config import DeliveryConfig
from primeta.delivery.channels import Address, address_of
from primeta.delivery.markup import TAG, length
from primeta.delivery.send import Attachment, Message, check, send
from primeta.errors import BadInput

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake12345"
HTML = (
    "<!doctype html><html><head><style>p{}</style></head><body><h1>Две новости &amp; вывод</h1>"
    "<p>Средний чек вырос на 4%</p></body></html>"
)
DIGEST = Message(subject="Калина, неделя 46", text="Средний чек вырос на 4%\n", html=HTML)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def mail():
    with mail_server() as box:
        yield box


@pytest.fixture
def service():
    with http_service() as found:
        yield found


@pytest.fixture
def telegram(service, monkeypatch):
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://{service.host}/bot")
    service.answers = [(200, '{"ok":true,"result":{"message_id":1}}')]
    return service


def to(url: str, **env: str) -> Address:
    from pathlib import Path

    return address_of(DeliveryConfig(name="team", to=url), env=env, folder=Path("."))


def mailto(box, people: str = "anna@example.com") -> Address:
    return to(f"mailto://127.0.0.1:{box.port}?from=primeta@example.com&to={people}&mode=insecure")


# Mail


def test_a_mail_carries_subject_text_page_and_file(mail, pauses):
    note = Attachment(name="неделя.txt", content="примета".encode(), media_type="text/plain")
    message = Message(subject=DIGEST.subject, text=DIGEST.text, html=DIGEST.html, attachments=(note,))
    sent = send("team", mailto(mail), message, pause=pauses.append)
    assert (sent.state, sent.why, sent.parts, pauses) == ("delivered", "", 1, [])
    ((people, letter),) = mail.letters
    assert people == ["anna@example.com"]
    assert letter["subject"] == "Калина, неделя 46"
    page = letter.get_body(("html",))
    plain = letter.get_body(("plain",))
    assert page
    assert "Средний чек вырос на 4%" in page.get_content()
    assert plain
    assert "Средний чек вырос на 4%" in plain.get_content()
    (file,) = letter.iter_attachments()
    assert file.get_payload(decode=True).decode() == "примета"
    assert file.get_filename() == "file.txt"


def test_each_recipient_gets_a_letter_and_an_unknown_one_stops_nobody(mail, pauses):
    mail.unknown = {"gone@example.com"}
    address = mailto(mail, "anna@example.com,gone@example.com,boris@example.com")
    sent = send("team", address, DIGEST, pause=pauses.append)
    assert (sent.state, sent.why, len(sent.accepted), sent.parts) == ("refused", "recipient", 2, 3)
    assert sent.answer == "550 5.1.1 no such user here"
    assert sorted(people[0] for people, _ in mail.letters) == ["anna@example.com", "boris@example.com"]
    # Once he is known, he alone gets it.
    mail.unknown = set()
    again = send("team", address, DIGEST, accepted=sent.accepted, pause=pauses.append)
    assert again.state == "delivered"
    assert [people[0] for people, _ in mail.letters].count("anna@example.com") == 1
    assert len(mail.letters) == 3


def test_a_greylisting_server_is_asked_again_after_a_pause(mail, pauses):
    mail.greylisted = 2
    sent = send("team", mailto(mail), DIGEST, pause=pauses.append)
    assert (sent.state, sent.tries, pauses) == ("delivered", 3, [1.0, 4.0])
    assert len(mail.letters) == 1


def test_a_server_that_goes_on_greylisting_is_left_for_the_next_run(mail, pauses):
    mail.greylisted = 99
    sent = send("team", mailto(mail), DIGEST, pause=pauses.append)
    assert (sent.state, sent.why, sent.answer) == (
        "deferred",
        "later",
        "451 4.7.1 greylisted, come back later",
    )
    assert "come later" in sent.line("en")
    assert "прийти позже" in sent.line("ru")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_password_is_read_from_the_environment_and_shown_nowhere(pauses, caplog):
    url = "mailto://anna:${SMTP_PASSWORD}@127.0.0.1:%d?from=a@example.com&to=b@example.com&mode=insecure"
    with mail_server(login=True) as box, caplog.at_level(logging.DEBUG):
        right = to(url % box.port, SMTP_PASSWORD=box.password)
        assert send("team", right, DIGEST, pause=pauses.append).state == "delivered"
        wrong = to(url % box.port, SMTP_PASSWORD="wr0ng@one")
        sent = send("team", wrong, DIGEST, pause=pauses.append)
    assert (sent.state, sent.why, sent.tries) == ("refused", "login", 1)
    assert len(box.letters) == 1
    shown = f"{right!r} {wrong!r} {sent!r} {sent.line('en')} {caplog.text}"
    assert "p@ss" not in shown
    assert "wr0ng" not in shown


# Telegram


def test_telegram_gets_its_own_html(telegram, pauses):
    sent = send("team", to("tgram://${TOKEN}/-100123", TOKEN=TOKEN), DIGEST, pause=pauses.append)
    assert (sent.state, sent.parts) == ("delivered", 1)
    (asked,) = telegram.asked
    assert asked.path == f"/bot{TOKEN}/sendMessage"
    assert asked.json["chat_id"] == -100123
    assert asked.json["parse_mode"] == "HTML"
    assert asked.json["text"] == (
        "<b>Калина, неделя 46</b>\n\n<b>Две новости &amp; вывод</b>\n\nСредний чек вырос на 4%"
    )


def test_a_long_digest_reaches_telegram_whole_in_messages_that_it_takes(telegram, pauses):
    paragraphs = [f"Абзац {number}. " + "Слово и ещё слово 😀 & <знак>. " * 30 for number in range(12)]
    from html import escape

    html = "<h1>Неделя</h1>" + "".join(f"<p><b>{escape(text)}</b></p>" for text in paragraphs)
    message = Message(subject="Неделя", text="", html=html)
    sent = send("team", to("tgram://${TOKEN}/5", TOKEN=TOKEN), message, pause=pauses.append)
    texts = [asked.json["text"] for asked in telegram.asked]
    assert sent.state == "delivered"
    assert sent.parts == len(texts) > 2
    assert all(length(text) <= 4096 for text in texts)
    joined = re.sub(r"\s", "", TAG.sub("", "".join(texts)))
    assert all(re.sub(r"\s", "", escape(text, quote=False)) in joined for text in paragraphs)
    # Cut between paragraphs: every message begins with one.
    assert all(re.match(r"<b>(Неделя|Абзац)", text) for text in texts)


def test_telegram_goes_on_with_the_piece_that_failed(telegram, pauses):
    message = Message(
        subject="Неделя", text="", html="".join(f"<p>{'слово ' * 500}{n}</p>" for n in range(3))
    )
    ok, busy = (200, '{"ok":true}'), (429, '{"ok":false,"description":"Too Many Requests: retry after 5"}')
    telegram.answers = [ok, busy, ok, ok]
    sent = send("team", to("tgram://${TOKEN}/5", TOKEN=TOKEN), message, pause=pauses.append)
    assert (sent.state, sent.parts, sent.tries) == ("delivered", 3, 2)
    texts = [asked.json["text"] for asked in telegram.asked]
    # The second piece twice, and no piece before it again.
    assert texts[1] == texts[2]
    assert len(texts) == 4
    assert len(set(texts)) == 3


@pytest.mark.parametrize(
    ("code", "said", "state", "why"),
    [
        # core.telegram.org/bots/api#making-requests: error_code and description
        (401, "Unauthorized", "refused", "login"),
        (400, "Bad Request: chat not found", "refused", "recipient"),
        (403, "Forbidden: bot was blocked by the user", "refused", "recipient"),
        (400, "Bad Request: message is too long", "refused", "large"),
        (429, "Too Many Requests: retry after 30", "deferred", "busy"),
        (502, "Bad Gateway", "deferred", "broken"),
    ],
)
def test_what_telegram_refuses_is_told_in_plain_words(telegram, pauses, code, said, state, why):
    telegram.answers = [(code, f'{{"ok":false,"description":"{said}"}}')]
    sent = send("team", to("tgram://${TOKEN}/5", TOKEN=TOKEN), DIGEST, pause=pauses.append)
    assert (sent.state, sent.why, sent.answer) == (state, why, f"{code} {said}")
    assert TOKEN not in sent.line("ru") + sent.line("en") + repr(sent)
    # What does not pass by itself is not tried again.
    assert len(telegram.asked) == (1 if state == "refused" else 3)


# Slack and webhooks


def test_slack_gets_plain_text_in_which_no_sign_commands(service, pauses, monkeypatch):
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{service.host}/services")
    message = Message(subject="Неделя", text="", html="<p>Сказали &lt;!channel&gt; &amp; ушли</p>")
    token = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7"
    sent = send("team", to("slack://${SLACK}", SLACK=token), message, pause=pauses.append)
    assert sent.state == "delivered", sent
    (asked,) = service.asked
    assert asked.path == f"/services/{token}"
    told = asked.body.decode("unicode_escape", "replace") + str(asked.json)
    assert "Неделя" in told
    assert "&lt;!channel&gt; &amp; ушли" in told
    assert "<!channel>" not in told


def test_a_webhook_gets_title_and_text(service, pauses):
    sent = send("team", to(f"json://{service.host}/hook"), DIGEST, pause=pauses.append)
    assert sent.state == "delivered"
    (asked,) = service.asked
    assert (asked.path, asked.json["title"]) == ("/hook", "Калина, неделя 46")
    assert asked.json["message"] == "Две новости & вывод\n\nСредний чек вырос на 4%"


def test_a_form_gets_the_same(service, pauses):
    assert send("team", to(f"form://{service.host}/hook"), DIGEST, pause=pauses.append).state == "delivered"
    assert b"title=" in service.asked[0].body


def test_a_redirect_is_not_followed(service, pauses):
    with http_service() as other:
        service.answers = [(307, f"http://{other.host}/steal")]
        sent = send(
            "team", to(f"json://u:${{PW}}@{service.host}/", PW="pa55word"), DIGEST, pause=pauses.append
        )
        assert sent.state == "refused"
        assert other.asked == []


def test_a_server_that_is_not_there_is_tried_again_later(pauses):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sent = send("team", to(f"json://127.0.0.1:{port}/"), DIGEST, pause=pauses.append)
    assert (sent.state, sent.why, sent.tries, pauses) == ("deferred", "unreachable", 3, [1.0, 4.0])


def test_an_answer_that_repeats_the_secret_is_told_without_it(telegram, pauses):
    def echo(asked: Asked) -> tuple[int, str]:
        return 400, f'{{"ok":false,"description":"bad token {TOKEN}"}}'

    telegram.answer = echo
    sent = send("team", to("tgram://${TOKEN}/5", TOKEN=TOKEN), DIGEST, pause=pauses.append)
    assert "bad token •••" in sent.answer
    assert TOKEN not in repr(sent)


# Addresses


@pytest.mark.parametrize("url", ["nosuchservice://${X}/a", "tgram://${X}/5", "mailto://"])
def test_an_address_that_apprise_does_not_know_is_refused_and_nothing_raises(url, pauses):
    address = to(url, X="short")
    assert check(address) == "service"
    assert send("team", address, DIGEST, pause=pauses.append).why == "service"


def test_a_secret_that_is_not_set_names_the_variable(tmp_path):
    with pytest.raises(BadInput, match=r"\[delivery.team\] to: the environment has no NOPE"):
        to("tgram://${NOPE}/5")
    with pytest.raises(BadInput, match="cannot be read or is empty"):
        address_of(DeliveryConfig(name="team", to="${file:no.txt}"), env={}, folder=tmp_path)


def test_a_whole_address_may_lie_in_a_file_and_none_of_its_parts_is_shown(tmp_path):
    (tmp_path / "team.url").write_text(f"tgram://{TOKEN}/-100123\n")
    address = address_of(DeliveryConfig(name="team", to="${file:team.url}"), env={}, folder=tmp_path)
    assert address.url == f"tgram://{TOKEN}/-100123"
    assert TOKEN not in repr(address)
    assert address.hide(f"see {TOKEN} there") == "see ••• there"


def test_nobodys_log_hears_of_apprise_and_its_settings_come_back(service, pauses, caplog):
    before = (logging.getLogger("apprise").level, logging.getLogger("urllib3").level)
    with caplog.at_level(logging.DEBUG):
        service.answers = [(404, "no")]
        send("team", to(f"json://{service.host}/${{X}}", X="verysecret"), DIGEST, pause=pauses.append)
    assert "verysecret" not in caplog.text
    assert before == (logging.getLogger("apprise").level, logging.getLogger("urllib3").level)
