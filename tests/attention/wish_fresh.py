"""A last set, written after the rules had been mended by `wish_free`. At first sight half of the wishes was found; then
the rules were mended by it, too."""

CASES: list[tuple[str, str]] = [
    ("Уважаемые, я просил не присылать мне рекламу. Примите меры.", "all"),
    ("Телефон разрывается от ваших смс, отключите уже", "stop:sms"),
    ("можно мне не звонить вообще? всё и так вижу в приложении", "stop:call"),
    ("Снимите галочку на рассылку, пожалуйста, сам не могу найти", "all"),
    ("я больше у вас ничего покупать не буду и писать мне не надо", "all"),
    ("рассылку прошу присылать не чаще двух раз в неделю", "less:2"),
    ("Хватит. Надоело читать про ваши скидки каждый божий день", "all"),
    ("предпочитаю только почту, без звонков", "only:email"),
    ("прошу исключить мои персональные данные из ваших систем", "delete"),
    ("Пуши по ночам — это перебор", "less"),
    ("Где мой возврат? Второй день жду звонка", ""),
    ("Не пишите больше «бесплатная доставка», если она платная", ""),
    ("Удалите дубль заказа, нажал два раза", ""),
    ("Почему не приходят смс с кодом, уже третий раз запрашиваю", ""),
    ("Отличный магазин, всем советую подписаться", ""),
    ("I keep getting promo texts I never agreed to. End it.", "stop:sms"),
    ("would you kindly cease all marketing to this address", "all"),
    ("do not want. stop.", "all"),
    ("twice a week is plenty, thanks", "less:2"),
    ("Please switch me to email only, no more texts", "only:email"),
    ("erase me from your systems", "delete"),
    ("the promo code in your text doesn't work", ""),
    ("Why was my account deleted?", ""),
    ("Stop charging my card, I cancelled my order", ""),
]
