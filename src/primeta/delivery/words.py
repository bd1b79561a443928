"""What became of a message, in words."""

from __future__ import annotations

STATES = {
    "delivered": {"en": "delivered", "ru": "доставлено"},
    "deferred": {"en": "not delivered yet", "ru": "пока не доставлено"},
    "refused": {"en": "refused", "ru": "не принято"},
    "unclear": {"en": "unclear", "ru": "неизвестно"},
    "already": {"en": "delivered before", "ru": "доставлено раньше"},
    "planned": {"en": "would be sent", "ru": "будет отправлено"},
    "nothing": {"en": "nothing to send", "ru": "отправлять нечего"},
    "sending": {"en": "being sent by another process", "ru": "отправляет другой процесс"},
}

WHY = {
    "no-variable": {
        "en": "the environment has no {what}; set it where Primeta runs",
        "ru": "в окружении нет {what}; задайте значение там, где работает Примета",
    },
    "no-file": {
        "en": "the file {what} cannot be read or is empty; put the secret into it",
        "ru": "файл {what} пуст или не читается; запишите в него секрет",
    },
    "service": {
        "en": "apprise knows no such service, or the address does not have the service's form",
        "ru": "apprise не знает такой службы, или адрес записан не так, как ей нужно",
    },
    "login": {
        "en": "the login or token was not accepted; check the secret of this channel",
        "ru": "логин или токен не подошёл; проверьте секрет этого канала",
    },
    "recipient": {
        "en": "the address leads nowhere: there is no such recipient, or it may not be written to",
        "ru": "адрес никуда не ведёт: такого получателя нет, или писать ему нельзя",
    },
    "large": {
        "en": "the message is larger than the service takes",
        "ru": "сообщение больше, чем принимает служба",
    },
    "busy": {
        "en": "the service asked to come later: too many messages",
        "ru": "служба просит подождать: слишком много сообщений",
    },
    "later": {
        "en": "the mail server asked to come later (it does so with senders that it does not know yet)",
        "ru": "почтовый сервер просит прийти позже (так он встречает незнакомых отправителей)",
    },
    "broken": {
        "en": "the service has a fault of its own",
        "ru": "у службы неполадки",
    },
    "unreachable": {
        "en": "no connection to the server; check its name, port and the network",
        "ru": "нет связи с сервером; проверьте его имя, порт и сеть",
    },
    "certificate": {
        "en": "the server's certificate is not trusted; nothing was sent",
        "ru": "сертификату сервера нельзя доверять; ничего не отправлено",
    },
    "no-login": {
        "en": "the server offers no login over this connection; use one with TLS",
        "ru": "сервер не разрешает вход по такому соединению; нужно соединение с TLS",
    },
    "other": {
        "en": "the service refused the message",
        "ru": "служба не приняла сообщение",
    },
    "died": {
        "en": "the process was stopped while sending; look whether it arrived, then run it with --again or leave it",
        "ru": "отправка прервалась на середине; посмотрите, дошло ли, и при необходимости повторите с --again",
    },
}
ANSWERED = {"en": "it answered: {answer}", "ru": "ответ службы: {answer}"}
SOME = {"en": "{accepted} of {parts} parts were accepted", "ru": "принято частей: {accepted} из {parts}"}
