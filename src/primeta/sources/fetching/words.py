"""What went wrong in a fetch, in plain words, and what a person may do about it."""

from __future__ import annotations

from primeta.show import locale
from primeta.sources.records import Trouble

WORDS: dict[str, dict[str, str]] = {
    "bad-address": {
        "en": "The address cannot be used: {why}. It must look like https://site.com/feed.",
        "ru": "Адрес не подходит: {why}. Он должен выглядеть так: https://site.ru/feed.",
    },
    "refused-address": {
        "en": "{host} leads into an internal network ({address}), so it was not opened. If that is intended, add "
        "{host} to `allow` of this source.",
        "ru": "{host} ведёт во внутреннюю сеть ({address}), поэтому мы туда не пошли. Если так и задумано, добавьте "
        "{host} в `allow` этого источника.",
    },
    "refused-address.closed": {
        "en": "{host} leads to an address that no site on the internet has ({address}), so it was not opened.",
        "ru": "{host} ведёт на адрес, по которому в интернете не бывает сайтов ({address}), поэтому мы туда не пошли.",
    },
    "refused-address.port": {
        "en": "Port in {address} belongs to something other than the web. If that is intended, add {address} to "
        "`allow` of this source.",
        "ru": "Порт в {address} отведён не под сайты. Если так и задумано, добавьте {address} в `allow` этого "
        "источника.",
    },
    "unreachable": {
        "en": "{host} does not answer. We will try again on schedule.",
        "ru": "{host} не отвечает. Попробуем снова по расписанию.",
    },
    "unreachable.name": {
        "en": "There is no site by the name {host}, or names cannot be looked up just now. Check the address.",
        "ru": "Сайт {host} не найден, или сейчас не работает поиск имён. Проверьте адрес.",
    },
    "certificate": {
        "en": "The certificate of {host} cannot be trusted ({reason}), so nothing was read.",
        "ru": "Сертификату {host} нельзя доверять ({reason}), поэтому мы ничего не читали.",
    },
    "not-found": {
        "en": "There is nothing at this address any more (404). If that lasts, the source has moved: look for its new "
        "address.",
        "ru": "По этому адресу ничего нет (404). Если так и останется, источник переехал: найдите новый адрес.",
    },
    "gone": {
        "en": "The site says that this is gone for good (410). Remove the source or give a new address.",
        "ru": "Сайт сообщает, что этого больше не будет (410). Удалите источник или укажите новый адрес.",
    },
    "forbidden": {
        "en": "{host} does not let us in ({status}). Ask its owner, or read it in another way.",
        "ru": "{host} нас не пускает ({status}). Спросите владельца сайта или читайте его другим способом.",
    },
    "robots": {
        "en": "{host} asks programs not to open this page (robots.txt). We do as it asks.",
        "ru": "{host} просит программы не открывать эту страницу (robots.txt). Мы не открываем.",
    },
    "robots.unreachable": {
        "en": "{host} does not show its rules for programs (robots.txt), so we wait until it does.",
        "ru": "{host} не отдаёт правила для программ (robots.txt). Подождём, пока отдаст.",
    },
    "busy": {
        "en": "{host} asks for a pause. We will come back on schedule.",
        "ru": "{host} просит сделать паузу. Вернёмся по расписанию.",
    },
    "server-error": {
        "en": "{host} has a fault of its own ({status}). We will try again on schedule.",
        "ru": "На стороне {host} ошибка ({status}). Попробуем снова по расписанию.",
    },
    "too-slow": {
        "en": "The answer took longer than {seconds} s and was given up.",
        "ru": "Ответ шёл дольше {seconds} с, и мы перестали ждать.",
    },
    "too-large": {
        "en": "The answer is larger than {megabytes} MB and was not read.",
        "ru": "Ответ больше {megabytes} МБ, мы его не читали.",
    },
    "bomb": {
        "en": "The answer unpacks to far more than a text would: it looks like an attack and was given up.",
        "ru": "При распаковке ответ вырос так, как текст не растёт: похоже на атаку, мы остановились.",
    },
    "cut-short": {
        "en": "The answer broke off before its end, so nothing of it was used.",
        "ru": "Ответ оборвался на середине, поэтому мы его не использовали.",
    },
    "redirects": {
        "en": "The address sends us from place to place without end.",
        "ru": "Адрес без конца пересылает нас с места на место.",
    },
    "unreadable": {
        "en": "The answer is packed in a way that cannot be read.",
        "ru": "Ответ упакован так, что его не прочитать.",
    },
    "bad-answer": {
        "en": "What answers there does not speak as a site does.",
        "ru": "То, что там отвечает, отвечает не как сайт.",
    },
    "bad-answer.status": {
        "en": "{host} answered with the unexpected status {status}.",
        "ru": "{host} ответил неожиданным кодом {status}.",
    },
}

_WHY_ADDRESS = {
    "scheme": {
        "en": "it does not begin with http:// or https://",
        "ru": "он не начинается с http:// или https://",
    },
    "host": {"en": "the name of the site cannot be read", "ru": "не удаётся прочитать имя сайта"},
    "userinfo": {"en": "it carries a user name (@)", "ru": "в нём указан пользователь (@)"},
    "port": {"en": "the port is not a number from 1 to 65535", "ru": "порт не число от 1 до 65535"},
    "characters": {
        "en": "it holds signs that no address has",
        "ru": "в нём есть знаки, которых в адресах не бывает",
    },
    "length": {"en": "it is too long", "ru": "он слишком длинный"},
}


def explain(trouble: Trouble, lang: str) -> str:
    """One or two sentences, or an empty text for a code that is not of fetching.

    What a site said of itself stands in it as plain text: whoever shows it escapes it.
    """
    values = dict(trouble.values)
    reason = str(values.get("reason", ""))
    key = trouble.code
    variants = [f"{key}.{reason}", f"{key}.name" if reason == "name-slow" else "", f"{key}.status"]
    for variant in variants:
        if variant in WORDS and (not variant.endswith(".status") or "status" in values):
            key = variant
            break
    if key not in WORDS:
        return ""
    limit = values.get("limit")
    filled = {
        "host": str(values.get("host", "")),
        "address": str(values.get("address", "")),
        "status": str(values.get("status", "")),
        "reason": reason,
        "seconds": _number(values.get("seconds"), lang),
        "megabytes": _number(limit / 2**20 if isinstance(limit, int) else None, lang),
        "why": _WHY_ADDRESS.get(reason, _WHY_ADDRESS["host"])[lang],
    }
    return WORDS[key][lang].format(**filled)


def _number(value: object, lang: str) -> str:
    if not isinstance(value, int | float):
        return "?"
    return locale.number(float(value), lang, digits=0 if float(value).is_integer() else 1)
