"""What customers of shops speak of, in both languages: usual forms of words that stand for one thing.

These are known beforehand, so that «доставка», «курьер» and "parcel" are one theme whoever writes; anything else that
many speak of is found from the texts.
"""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "delivery": "доставка доставить доставлять привезти привозить курьер посылка опоздать опоздание задержка "
    "задержать задерживать пвз постамат самовывоз delivery deliver courier parcel shipping ship shipment late delay",
    "returns": "возврат вернуть возвращать обмен обменять обменивать refund return exchange",
    "price": "цена дорого дорогой дороже подорожать дорожать ценник стоимость дешево дешевый дешевле переплата "
    "переплачивать подорожание price expensive pricey cheap costly overpriced",
    "quality": "качество некачественный брак бракованный дефект сломаться порваться отклеиться расклеиться развалиться "
    "quality defect defective faulty broken flimsy",
    "size": "размер размерный маломерить большемерить size sizing",
    "payment": "оплата оплатить оплачивать платеж списать списание списывать payment pay charge charged billing",
    "site": "приложение сайт зависать зависнуть глючить вылетать лагать тормозить app website crash glitch buggy",
    "points": "балл бонус кешбэк кэшбэк лояльность бонусный point bonus loyalty cashback reward",
    "messages": "рассылка спам смс уведомление пуш отписаться отписка спамить newsletter mailing spam notification push "
    "unsubscribe sms",
    "discounts": "скидка промокод акция купон распродажа discount promo promocode coupon voucher",
    "support": "поддержка оператор консультант саппорт дозвониться support operator helpdesk hotline",
    "choice": "ассортимент выбор наличие assortment selection availability",
    "packaging": "упаковка упаковать помятый мятый помять packaging packed dented",
    "account": "аккаунт регистрация пароль авторизация авторизоваться залогиниться account login password registration",
    "staff": "персонал продавец кассир хамство хамить вежливый грубый грубить staff cashier rude polite",
    "queues": "очередь queue",
    "freshness": "просроченный просрочка испортиться тухлый протухнуть несвежий expired stale rotten spoiled",
}  # fmt: skip

CONCEPTS: Mapping[str, str] = {word: name for name, words in _WORDS.items() for word in words.split()}
"""Usual form (ё as е) → the thing."""

OTHER = frozenset({"accounting", "pointed", "pointing", "pointless", "caring"})
"""Forms that only look like one of these words."""

GENERIC = frozenset(
    "заказ заказать заказывать товар магазин покупка купить покупать покупатель клиент компания продукт вещь деньги "
    "рубль штука номер обращение раз день добрый здравствуйте благодарить понравиться нравиться отлично хороший плохой "
    "плохо хорошо нормально супер ужас отзыв проблема ситуация просить помочь ждать прошу просьба уважение прийти приехать прислать пришлый получить взять дать сказать ответить подсказать стать порядок замечание жалоба претензия норма норм ок супер "
    "order item product shop store buy purchase customer company stuff money number hello hi dear regards wait waited arrive arrived come came receive received get got change answer tell fine ok okay complaint perfect amazing "
    "nice bad excellent awful terrible problem issue review love like family".split()
)
"""Usual forms that every voice of a shop has: no theme by themselves."""
