"""What a metric is about, in the words that people use for it: Russian and English, as they are spoken in the trade.

*Sure* words name the thing and nothing else; *loose* ones mean it only beside a word of its field («открыть письмо»,
not «открыть магазин»). A word of the field alone says that two things are of one field, and no more.
"""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, str] = {
    "messaging": "рассылка письмо имейл емейл почта email e-mail mail newsletter mailing push пуш уведомление оповещение "
    "notification sms смс мессенджер messenger сообщение message inbox спам spam рассыльщик телеграм telegram whatsapp",
    "prices": "скидка промокод акция распродажа купон промо уценка discount coupon promo promotion voucher markdown "
    "sale price цена ценник подорожание дорожать",
    "coming": "клиент покупатель подписчик лояльность customer client subscriber loyalty retention бонус балл "
    "кешбэк кэшбэк cashback reward points",
    "buying": "заказ покупка чек корзина покупать order purchase basket cart checkout spend spending shopping buy",
    "visiting": "сайт приложение каталог витрина страница site website app catalogue catalog page visit визит посещение",
    "liking": "nps отзыв оценка рейтинг review rating satisfaction",
}  # fmt: skip

# Thing → (its field, sure words, loose words).
THINGS: Mapping[str, tuple[str, str, str]] = {
    "opening": (
        "messaging",
        "открываемость непрочитанный непрочитанное openrate unread unopened",
        "открытие открывать открыть прочтение прочитать читать читаемость open opening opener read reading ignore "
        "игнорировать блокировать отключать отключить выключить mute disable privacy прелоад",
    ),
    "clicking": (
        "messaging",
        "кликабельность ctr clickthrough",
        "клик кликать переход переходить click link ссылка",
    ),
    "leaving-the-list": (
        "messaging",
        "отписка отписаться отписываться отписавшийся unsubscribe unsubscription optout opt-out",
        "отказ отказаться согласие consent отключать отключить выключить disable mute",
    ),
    "complaining": (
        "messaging",
        "спам spam",
        "жалоба жаловаться complaint complain навязчивый надоесть annoying",
    ),
    "discounts": (
        "prices",
        "скидка промокод купон распродажа уценка discount coupon voucher markdown",
        "акция промо sale promo promotion",
    ),
    "full-price": ("prices", "", "полный full"),
    "staying": (
        "coming",
        "лояльность удержание удерживать loyalty retention возвращаемость",
        "возвращаться вернуться повторный return repeat remain оставаться",
    ),
    "going": (
        "coming",
        "отток churn churned",
        "уходить уйти уход бросать сменить перейти leave quit switch cancel lapse",
    ),
    "coming-back": (
        "coming",
        "реактивация возвращение reactivation winback win-back",
        "вернуться возвращать return comeback",
    ),
    "ordering": ("buying", "заказ order", "покупать покупка buy purchase реже чаще"),
    "spending": (
        "buying",
        "чек трата spending",
        "экономить экономия тратить дорогой дешёвый spend saving save budget бюджет inflation инфляция цена price "
        "подорожание дорожать",
    ),
    "basket": ("buying", "корзина ассортимент basket assortment", "товар категория набор item category range bundle"),
    "visiting": ("visiting", "посещаемость визит visit traffic трафик", "сайт приложение site app каталог поиск search"),
    "liking": ("liking", "nps рекомендовать recommend", "оценка отзыв rating review satisfaction довольный"),
    "earning": ("prices", "маржа маржинальность margin", "прибыль profit себестоимость cost"),
}  # fmt: skip

ABOUT: Mapping[str, tuple[str, ...]] = {
    "open_rate": ("opening",),
    "click_rate": ("clicking",),
    "click_to_open": ("opening", "clicking"),
    "unsubscribe_rate": ("leaving-the-list",),
    "complaint_rate": ("complaining",),
    "conversion": ("ordering",),
    "discount_share": ("discounts",),
    "full_price_share": ("discounts", "full-price"),
    "retention_7": ("staying", "going"),
    "retention_30": ("staying", "going"),
    "retention_90": ("staying", "going"),
    "churn": ("going", "staying"),
    "reactivation_rate": ("coming-back", "going"),
    "orders_per_customer": ("ordering",),
    "revenue_per_customer": ("spending", "ordering"),
    "margin_per_customer": ("earning", "spending"),
    "average_order_value": ("spending", "basket"),
    "items_per_order": ("basket",),
    "categories_per_customer": ("basket",),
    "visits_per_customer": ("visiting",),
    "nps": ("liking",),
    "ltv": ("staying", "spending"),
}
"""Built-in metric → things that it counts."""

PLACES: Mapping[str, str] = {
    "push": "push пуш уведомление notification",
    "email": "email e-mail mail newsletter письмо почта рассылка имейл емейл inbox",
    "mail": "email e-mail mail newsletter письмо почта рассылка имейл емейл inbox",
    "sms": "sms смс",
    "telegram": "telegram телеграм телега",
    "whatsapp": "whatsapp вотсап ватсап",
    "messenger": "messenger мессенджер telegram телеграм whatsapp",
    "app": "app приложение",
    "web": "site website сайт",
    "site": "site website сайт",
    "store": "store shop магазин",
    "men": "мужчина men мужской",
    "women": "женщина women женский",
    "ios": "ios iphone apple",
    "android": "android google",
}
"""Value of a slice → words for it; other values are looked for as they are written."""

# Of every metric's name: they tell nothing.
EMPTY = frozenset(
    "per rate share average value metric customer number count доля средний среднее число количество показатель "
    "коэффициент на один клиент сумма total mean".split()
)
