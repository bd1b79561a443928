"""Words that speak for one of the five types of trend, with how strongly; and what a kind of source speaks of most.

A weight of 1 is a word that hardly stands in texts of another type («законопроект», "gdpr"), .3 one that leans. A word
that ends in `*` is the beginning of one; two words stand side by side. Words are in their usual form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from primeta.signals.texts.plain_words import lemma
from primeta.sources.records import SourceKind

TYPES: tuple[str, ...] = ("behavioural", "technological", "regulatory", "socio-cultural", "commercial")

_WORDS: Mapping[str, Mapping[float, str]] = {
    "regulatory": {
        1.2: "закон, законопроект, законодател*, роскомнадзор, ркн, фас, госдума, госдуме, совет федерация, минцифра, минцифры, "
        "минюст, минпромторг, роспотребнадзор, персональный данные, оборотный штраф, постановление, верховный суд, "
        "gdpr, ccpa, cppa, ftc, fcc, ico, regulator, regulation, legislation, lawmaker, statute, privacy law, data protection, "
        "antitrust, pass law, pass bill, утечка данные, утечка персональный данные, data breach fine, digital service act, ai act, data act, attorney general, supreme court, class action, "
        "антимонопольн*, саморегулирован*, цб обязать, вступать сила, в сила, take effect, enter force",
        0.9: "штраф, штрафовать, оштрафовать, запрет, запретить, запрещать, запрещённый, запрещенный, регулятор, регулирование, регулировать, поправка, обязать, "
        "обязательный, согласие, надзор, лицензи*, маркировка, реестр, суд, иск, приказ, гост, санкция, блокировка, "
        "law, bill, ban, court, lawsuit, sue, fine, compliance, consent, enforcement, enforce, directive, mandate, ruling, "
        "legislator, senate, congress, parliament, eu commission, european commission, judge, outlaw, prohibit*, license, watchdog, "
        "opt-out right, legal, illegal, penalt*, прокуратура, чиновник, министерство, депутат, комплаенс, юрист, оферта",
        0.5: "privacy, rule, требование, обязанность, правило, ответственность, конфиденциальность, rights, право, government, "
        "правительство, cookie banner, must, drip, disclosure, act, policy, investigate, проверка, разрешать, разрешить",
    },
    "technological": {
        1.2: "нейросеть, ии, искусственный интеллект, машинный обучение, chatgpt, gpt, openai, llm, gemini, deepseek, яндексgpt, gigachat, "
        "ai agent, ии-агент, rcs, dmarc, dkim, sdk, api, чат-бот, чатбот, блокчейн, blockchain, passkey*, machine learning, language model, "
        "artificial intelligence, neural network, generative ai, generative, chatbot, quantum, дополнить реальность, augmented reality, webauthn, "
        "биометри*, biometric*, iot, computer vision, компьютерный зрение, cookieless, third-party cookie, cdp",
        0.9: "ai, алгоритм, ios, android, браузер, chrome, safari, firefox, cookie, куки, протокол, шифрование, смартфон, бот, нейро*, "
        "автоматизаци*, автоматизировать, облако, облачный, сервер, спам-фильтр, нфс, nfc, qr-код, algorithm, browser, encryption, encrypt, "
        "automation, automate, software, smartphone, wearable*, bot, cloud, open source, data lake, tokeniz*, 5g, vr, ar, "
        "голосовой ассистент, ии ассистент, голосовой помощник, voice assistant, spam filter, apple mail, mail privacy, робот, дрон, drone, robot, датчик, цифровой двойник, "
        "push-уведомление, мини-приложение, web push, app clip, open rate pixel",
        0.5: "обновление, версия, релиз, приложение, мессенджер, интеграция, разработчик, технологи*, цифровой, платформа, модель, update, version, feature, "
        "release, beta, developer, app, messenger, technology, tech, platform, model, integration, sensor, device, tool, gmail, whatsapp, telegram, "
        "google, apple, microsoft, персонализаци*, personaliz*, real-time, кнопка, виджет, ускорить, распознавание, recognition",
    },
    "behavioural": {
        1.2: "открываемость, привычка, предпочитать, предпочесть, брошенный корзина, импульсный покупка, импульсивный покупка, "
        "отписываться, отписаться, отписка, частота покупка, повторный покупка, потребительский поведение, поведение покупатель, "
        "habit, prefer, preference, unsubscrib*, open rate, cart abandonment, abandoned cart, churn, impulse, repeat purchase, "
        "consumer behavior, consumer behaviour, shopping behavior, attention span, second-hand shopping, trade down, showroom*, "
        "покупательский, перестать открывать, перестать читать, сравнивать цена, compare price",
        0.9: "чаще, редко, часто, отказываться, отказаться, переходить, перейти, уходить, откладывать, экономить, сравнивать, читать, листать, "
        "покупать, заказывать, возвращать, возвращаться, игнорировать, раздражать, пользоваться, проводить, отток, удержание, "
        "switch, abandon, ignore, skip, scroll, browse, shop, spend, return, retention, engagement, postpone, delay, "
        "less often, more often, tune out, cut back, mute, reply, click, open, visit, expect, want, complain, "
        "планировать, копить, выбирать, просить, жаловаться, ждать, смотреть, тратить, совершать, посещать, самовывоз, отключать, заходить",
        0.5: "клиент, покупатель, потребитель, россиянин, пользователь, подписчик, аудитория, заказ, покупка, корзина, вечер, утро, конверсия, "
        "customer, consumer, shopper, buyer, user, subscriber, audience, order, basket, purchase, people, conversion, behavior, behaviour, "
        "опрос, респондент, survey, респонденты, американец, americans, half, половина, треть, каждый второй",
    },
    "socio-cultural": {
        1.2: "поколение, зумер, зумеры, миллениал, бумер, альфа, рождаемость, демографи*, феминизм, инклюзи*, осознанный потребление, устойчивый развитие, "
        "ментальный здоровье, одиночество, выгорание, экотренд, экологичность, эстетика, ностальгия, патриотизм, патриотич*, субкультура, work-life, "
        "gen z, gen alpha, generation, millennial, boomer, sustainab*, mental health, loneliness, lonely, burnout, diversity, inclusi*, nostalgia, "
        "nostalgic, wellness, body positiv*, veganism, fandom, authenticity, subculture, feminis*, aging population, birth rate, digital detox, цифровой детокс, "
        "climate anxiety, minimalism, минимализм, slow living, dopamine, anti-consumption, loud budgeting, quiet luxury",
        0.9: "молодёжь, молодежь, подросток, ценность, культура, культурный, традици*, экологичный, экология, экологический, осознанный, этичный, этика, доверие, семья, семейный, "
        "тревожность, мода, мем, общество, пожилой, родитель, сообщество, стереотип, образ жизнь, идентичность, благотворительност*, волонтёр*, волонтер*, локальный бренд, "
        "teen, teenager, youth, value, culture, cultural, tradition, ethical, trust, family, anxiety, meme, society, community, lifestyle, identity, "
        "parent, parenting, climate, green, eco, religio*, social norm, pride, women, aging, elderly, senior, stress, digital nomad, remote work, удаленка, удалёнка, удалённый работа, удаленный работа, "
        "гендер*, gender, хобби, hobby, питомец, pet, здоровье, health, спокойствие",
        0.5: "молодой, женщина, мужчина, дети, ребёнок, ребенок, здоровый, город, local, young, kids, child, social, influencer, блогер, tiktok, тренд, home, отношение",
    },
    "commercial": {
        1.2: "кэшбэк, кешбэк, маркетплейс, программа лояльность, бесплатный доставка, чёрный пятница, черный пятница, подорожание, подорожать, подешеветь, "
        "выручка, прибыль, инфляция, ключевой ставка, слияние, поглощение, рекламный бюджет, ценовой война, wildberries, ozon, вайлдберриз, "
        "cashback, loyalty program, free shipping, black friday, revenue, profit, inflation, merger, acquisition, ad spend, price war, "
        "coupon, loyalty point, frequent flyer, market share, дискаунтер, доля рынок, pricing, loyalty scheme, points scheme, private label, собственный торговый марка, ipo, retail media, ретейл-медиа, ритейл-медиа",
        0.9: "цена, скидка, тариф, продажа, конкурент, бонус, комиссия, распродажа, промокод, ритейлер, сеть, инвестиция, сделка, купон, маржа, наценка, стоимость, "
        "ретейлер, ретейл, ритейл, торговый, дешёвый, дешевый, дорогой, price, discount, sale, competitor, fee, commission, promo*, retailer, investment, deal, margin, tariff, "
        "acquire, cheaper, expensive, budget, sales, membership, store, bonus, points, бюджет, оборот, поставщик, supplier, импорт, экспорт, import, export, рассрочка, кредит, bnpl, installments",
        0.5: "рынок, бренд, подписка, доставка, реклама, рекламный, магазин, акция, компания, бизнес, market, brand, subscription, delivery, advertising, ad, shop opening, company, "
        "business, launch, запустить, открыть, рост, вырасти, снизиться, снизить, повысить, quarter, квартал, миллиард, billion, млрд, млн, rival, raise, cut, lower",
    },
}  # fmt: skip

PRIORS: Mapping[SourceKind, Mapping[str, float]] = {
    "law": {"regulatory": 1.0},
    "platform": {"technological": 0.7},
    "competitor": {"commercial": 0.7},
    "support": {"behavioural": 0.5},
    "reviews": {"behavioural": 0.5},
    "nps": {"behavioural": 0.5},
    "interviews": {"behavioural": 0.5},
    "focus_group": {"behavioural": 0.4, "socio-cultural": 0.2},
    "social": {"socio-cultural": 0.3},
    "community": {"socio-cultural": 0.2},
    "research": {"behavioural": 0.2},
    "agency": {"commercial": 0.2},
    "industry_report": {"commercial": 0.2},
}
"""Added to what the words say: a law seldom writes of fashion."""


@cache
def weights() -> tuple[dict[str, tuple[tuple[str, float], ...]], dict[str, tuple[tuple[str, float], ...]]]:
    """Whole words (or two side by side) and beginnings of words → (type, weight)."""
    whole: dict[str, list[tuple[str, float]]] = {}
    begins: dict[str, list[tuple[str, float]]] = {}
    for kind, groups in _WORDS.items():
        for weight, listed in groups.items():
            for entry in (part.strip().replace("ё", "е").replace("-", " ") for part in listed.split(",")):
                place = begins if entry.endswith("*") else whole
                # «ии» reads as a form of «ия» where texts are read: the entry stands under both.
                usual = entry if entry.endswith("*") else " ".join(lemma(word) for word in entry.split())
                for form in {entry.rstrip("*"), usual.rstrip("*")}:
                    there = place.setdefault(form, [])
                    if all(name != kind for name, _ in there):
                        there.append((kind, weight))
    return {w: tuple(v) for w, v in whole.items()}, {w: tuple(v) for w, v in begins.items()}
