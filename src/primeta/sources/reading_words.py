"""What could not be read of what was fetched, in plain words, and what a person may do about it."""

from __future__ import annotations

from primeta.show import locale
from primeta.sources.records import Trouble

WORDS: dict[str, dict[str, str]] = {
    "not-a-feed": {
        "en": "There is no feed at this address. Look for a link named RSS or Atom on the site.",
        "ru": "По этому адресу не лента. Поищите на сайте ссылку с названием RSS или Atom.",
    },
    "not-a-feed.page": {
        "en": "This is a page, not a feed, and it names none. Look for a link named RSS or Atom, or watch the page "
        "itself.",
        "ru": "Это страница, а не лента, и лента на ней не указана. Поищите ссылку RSS или Atom или следите за самой "
        "страницей.",
    },
    "not-a-feed.feeds": {
        "en": "This is a page, not a feed. Its feed is here: {feeds}.",
        "ru": "Это страница, а не лента. Лента здесь: {feeds}.",
    },
    "too-large": {
        "en": "The file is larger than {megabytes} MB and was not read.",
        "ru": "Файл больше {megabytes} МБ, мы его не читали.",
    },
    "bomb": {
        "en": "What came would fill the memory when read: it looks like an attack and was given up.",
        "ru": "Чтение этого файла заняло бы всю память: похоже на атаку, мы остановились.",
    },
    "too-slow": {
        "en": "Reading took longer than {seconds} s and was given up. We will try again on schedule.",
        "ru": "Чтение заняло больше {seconds} с, и мы его прервали. Попробуем снова по расписанию.",
    },
    "unreadable": {
        "en": "What came cannot be read. It is kept; a later version may read it.",
        "ru": "Прочитать не удалось. Файл сохранён: возможно, его прочтёт следующая версия.",
    },
    "ill-formed": {
        "en": "The feed has mistakes in its markup. It was read all the same; something may be missing.",
        "ru": "В разметке ленты есть ошибки. Мы её прочитали, но что-то могло пропасть.",
    },
    "encoding": {
        "en": "The feed names a wrong encoding; it was read as {read_as}.",
        "ru": "В ленте указана неверная кодировка, мы прочитали её как {read_as}.",
    },
    "no-date": {
        "en": "Entries without a date: {entries}. They count from the day on which we saw them.",
        "ru": "Записей без даты: {entries}. Считаем их с того дня, когда увидели.",
    },
    "future-date": {
        "en": "Entries dated in the future: {entries}. They count from the day on which we saw them.",
        "ru": "Записей с датой из будущего: {entries}. Считаем их с того дня, когда увидели.",
    },
    "too-many": {
        "en": "It holds {entries} entries; the first {read} were read.",
        "ru": "Записей: {entries}. Прочитаны первые {read}.",
    },
    "repeated": {
        "en": "Entries that came more than once: {entries}. The newest of each was kept.",
        "ru": "Повторных записей: {entries}. От каждой осталась самая новая.",
    },
    "empty": {
        "en": "Entries without words and link: {entries}. They were left out.",
        "ru": "Записей без текста и ссылки: {entries}. Мы их пропустили.",
    },
    "not-telegram": {
        "en": "This is no Telegram export: result.json or messages.html of Telegram Desktop was expected.",
        "ru": "Это не выгрузка Telegram: ожидался result.json или messages.html из Telegram Desktop.",
    },
    "no-preview.channel": {
        "en": "The channel {name} shows its posts only inside Telegram. Export it with Telegram Desktop and name the "
        "file instead.",
        "ru": "Канал {name} показывает записи только внутри Telegram. Выгрузите его через Telegram Desktop и укажите "
        "файл.",
    },
    "no-preview.group": {
        "en": "{name} is a group, and groups have no public page. Export it with Telegram Desktop and name the file "
        "instead.",
        "ru": "{name} — это группа, у групп нет открытой страницы. Выгрузите её через Telegram Desktop и укажите файл.",
    },
    "no-preview.person": {
        "en": "{name} is a person or a bot, not a channel.",
        "ru": "{name} — это человек или бот, а не канал.",
    },
    "no-preview.nobody": {
        "en": "Telegram knows no public channel {name}. It is private, renamed or gone; check the name.",
        "ru": "Открытого канала {name} в Telegram нет: он закрытый, переименован или удалён. Проверьте имя.",
    },
    "no-posts": {
        "en": "The page of the channel {name} shows no posts.",
        "ru": "На странице канала {name} нет записей.",
    },
    "not-mail": {
        "en": "This is no mail: a mailbox file (mbox) or a saved mail (.eml) was expected.",
        "ru": "Это не почта: ожидался файл почтового ящика (mbox) или сохранённое письмо (.eml).",
    },
    "not-mail.outlook": {
        "en": "This is a mail in Outlook's own form. Save it as .eml: in Outlook, drag it to a folder of a webmail, or "
        "open it there and download it.",
        "ru": "Это письмо в собственном формате Outlook. Сохраните его как .eml, например из веб-версии почты.",
    },
    "large-mails": {
        "en": "Mails larger than 32 MB: {entries}. Their beginning was read.",
        "ru": "Писем больше 32 МБ: {entries}. Прочитано их начало.",
    },
    "many-parts": {
        "en": "Mails of very many parts: {entries}. Their first parts were read.",
        "ru": "Писем из слишком большого числа частей: {entries}. Прочитаны первые части.",
    },
    "thrown-away": {
        "en": "Mails that were deleted, or lie in spam or drafts: {entries}. They were left out.",
        "ru": "Удалённых писем, спама и черновиков: {entries}. Мы их пропустили.",
    },
    "automatic": {
        "en": "Delivery reports and automatic replies: {entries}. They were left out.",
        "ru": "Отчётов о доставке и автоответов: {entries}. Мы их пропустили.",
    },
    "cut-short": {
        "en": "The file breaks off. What stands before the break was read: {entries} entries. Save it again.",
        "ru": "Файл обрывается. То, что до обрыва, прочитано, записей: {entries}. Сохраните файл заново.",
    },
    "ill-formed-messages": {
        "en": "Messages that are damaged and were left out: {entries}.",
        "ru": "Повреждённых сообщений: {entries}. Мы их пропустили.",
    },
    "private-chats": {
        "en": "Private conversations in the file: {entries}. They were not read; only channels and groups are.",
        "ru": "Личных переписок в файле: {entries}. Мы их не читаем, только каналы и группы.",
    },
    "no-zone": {
        "en": "Times without a time zone: {entries}. They were taken for UTC and may be hours off.",
        "ru": "Записей, где время без часового пояса: {entries}. Мы считаем его временем UTC, ошибка может "
        "составить несколько часов.",
    },
    "no-text": {
        "en": "There is nothing to read in it.",
        "ru": "В нём нет текста.",
    },
    "no-text.page": {
        "en": "The page holds no text: it may be put together by scripts in the browser, or ask whether you are human. "
        "Look for its feed, or name another page.",
        "ru": "На странице нет текста: возможно, её собирают скрипты в браузере или сайт проверяет, человек ли вы. "
        "Поищите ленту этого сайта или укажите другую страницу.",
    },
    "no-text.human": {
        "en": "The site asked whether you are human and did not show the page. It is tried again; should it stay so, look "
        "for the site's feed, or name another page.",
        "ru": "Сайт решил проверить, не робот ли мы, и страницу не показал. Попробуем снова. Если так и останется, поищите "
        "ленту этого сайта или укажите другую страницу.",
    },
    "no-text.scan": {
        "en": "The PDF holds pictures of pages and no text (it was scanned). Run it through text recognition and name "
        "that file.",
        "ru": "В этом PDF только изображения страниц, текста нет (это скан). Распознайте текст и укажите новый файл.",
    },
    "some-pages-without-text": {
        "en": "Pages that are pictures and could not be read: {entries} of {read}.",
        "ru": "Страниц-картинок, которые прочитать не удалось: {entries} из {read}.",
    },
    "too-many-pages": {
        "en": "The PDF has {entries} pages; the first {read} were read.",
        "ru": "В PDF страниц: {entries}. Прочитаны первые {read}.",
    },
    "not-a-pdf": {
        "en": "This is no PDF. Check the address: it may lead to a page that asks to sign in.",
        "ru": "Это не PDF. Проверьте адрес: возможно, он ведёт на страницу входа.",
    },
    "encrypted": {
        "en": "The PDF is locked with a password. Save it without one and name that file.",
        "ru": "PDF закрыт паролем. Сохраните его без пароля и укажите новый файл.",
    },
    "no-part": {
        "en": "The page has no part {select}: it was rebuilt, or the selector is mistyped. Look at the page and correct "
        "select in primeta.toml.",
        "ru": "На странице нет части {select}: её переделали, или в селекторе опечатка. Посмотрите на страницу и "
        "исправьте select в primeta.toml.",
    },
    "no-voices": {
        "en": "The workspace maps no voices. Add a section [tables.voices] to primeta.toml.",
        "ru": "В primeta.toml не указано, где лежат голоса клиентов. Добавьте раздел [tables.voices].",
    },
    "bad-table": {
        "en": "The table cannot be read. {why}",
        "ru": "Таблицу прочитать не удалось. {why}",
    },
    "no-columns": {
        "en": "Columns that were not found: {wanted}. The file has: {found}. Say which is which under columns of the "
        "source in primeta.toml.",
        "ru": "Не нашли столбцы: {wanted}. В файле есть: {found}. Укажите соответствие в columns этого источника в "
        "primeta.toml.",
    },
    "without-text": {
        "en": "Rows without text: {entries}. They were left out.",
        "ru": "Строк без текста: {entries}. Мы их пропустили.",
    },
}
"""Of a code that fetching uses too, these are the words where `reason` is `reading`."""


def explain_reading(trouble: Trouble, lang: str) -> str:
    """One or two sentences, or an empty text for a code that is not of reading.

    What a source said of itself stands in it as plain text: whoever shows it escapes it.
    """
    values = trouble.values
    key = trouble.code
    if key == "not-a-feed" and (values.get("feeds") or values.get("page")):
        key = "not-a-feed.feeds" if values.get("feeds") else "not-a-feed.page"
    if f"{key}.{values.get('what')}" in WORDS:
        key = f"{key}.{values.get('what')}"
    if key not in WORDS:
        return ""
    feeds = values.get("feeds")
    largest = values.get("largest")
    return WORDS[key][lang].format(
        feeds=", ".join(str(feed) for feed in feeds) if isinstance(feeds, list) else "",
        megabytes=_number(largest / 2**20 if isinstance(largest, int) else None, lang),
        seconds=_number(values.get("seconds"), lang),
        entries=_number(values.get("entries"), lang),
        read=_number(values.get("read"), lang),
        read_as=str(values.get("read_as", "?")),
        name=str(values.get("name") or ""),
        select=str(values.get("select") or ""),
        why=str(values.get("why") or ""),
        wanted=_listed(values.get("wanted"), lang),
        found=_listed(values.get("found"), lang),
    )


def _listed(names: object, lang: str) -> str:
    names = [str(name) for name in names] if isinstance(names, list) else []
    more = f" … (+{len(names) - 20})" if len(names) > 20 else ""
    return (", ".join(names[:20]) or {"en": "none", "ru": "ни одного"}[lang]) + more


def _number(value: object, lang: str) -> str:
    if not isinstance(value, int | float):
        return "?"
    return locale.number(float(value), lang, digits=0 if float(value).is_integer() else 1)
