"""Pairs that no copy detector may join, and pairs that it must, written before the rules were.

`{a|b}` is where the two texts of a pair differ. Every third pair of each kind is held out: the rules were written
against the others only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    kind: str
    language: str
    first: str
    second: str
    held_out: bool


TRAPS_RU = """
negation: Приложение банка {работает|не работает} после обновления
negation: Push-уведомления {доходят|не доходят} до клиентов на Android
negation: Магазин {принимает|больше не принимает} к оплате бонусные баллы
negation: Компания {подтвердила|не подтвердила} утечку данных клиентов
negation: В новой версии приложения {есть|нет} поиска по заказам
negation: Доставка теперь {с минимальной суммой|без минимальной суммы} заказа
negation: Сеть {вернула|так и не вернула} скидку пенсионерам
negation: Клиентам {можно|нельзя} вернуть товар без чека
negation: Сервис {начал|перестал} присылать чеки на почту
negation: Ритейлер {запустил|отменил} программу лояльности в регионах
negation: Мне {ни разу не помогли|помогли} в поддержке за неделю
negation: Ozon {будет|не будет} брать плату за возврат товара
negation: Промокод {сработал|не сработал} на кассе самообслуживания
negation: Согласие на рассылку {требуется|не требуется} при регистрации
negation: Оператор {ответил|не ответил} на жалобу в течение суток
negation: Новый закон {касается|не касается} рекламы в мессенджерах
negation: Я {доволен|недоволен} работой курьера
negation: Карта лояльности {никогда не сгорает|сгорает} через год
numbers: Средняя скидка выросла до {20%|30%} в декабре
numbers: Маркетплейс повысил комиссию до {15|17} процентов для продавцов одежды
numbers: Письмо открыли {12,5%|15,2%} получателей
numbers: Сеть закрыла {12|21} магазинов за год
numbers: Доставка подорожала на {50|150} рублей
numbers: За неделю пришло {1200|1 250} жалоб на возврат
numbers: Бонусы сгорают через {30|90} дней
numbers: Штраф за спам составит {500 тысяч|5 миллионов} рублей
numbers: Выручка компании достигла {2,5 млрд|2,5 млн} рублей
numbers: Каждый {третий|пятый} клиент отписался от рассылки
numbers: Число активных пользователей выросло {вдвое|втрое}
numbers: Кэшбэк составит от {3 до 5|5 до 7} процентов
numbers: Скидка действует для покупок {более|менее} 3000 рублей
numbers: Заказ привезли на {два|три} дня позже срока
numbers: Конверсия выросла на {2%|2 п.п.} после смены кнопки
numbers: Поддержка отвечает в среднем за {5 минут|5 часов}
numbers: Минимальная сумма заказа теперь {не менее|не более} 1000 рублей
numbers: Количество обращений снизилось с {100 до 80|100 до 60} в день
numbers: Опрошены {1500|15000} покупателей в десяти городах
numbers: Оценка приложения в магазине — {4,8|3,8} балла
date: Новые правила рассылок вступят в силу {1 марта|1 мая}
date: Распродажа начнётся {15|25} ноября
date: Закон о рекламе принят в {2024|2025} году
date: Магазин закроется {в понедельник|в пятницу}
date: Сбой произошёл {вчера|сегодня} утром
date: Обновление выйдет в {первом|третьем} квартале
date: Горячая линия работает до {18:00|21:00}
date: Тарифы поменяются с {01.09.2025|01.10.2025}
date: Промоакция продлится до {конца января|конца февраля}
date: Отчёт опубликуют {завтра|послезавтра}
date: Клиенты жалуются на сбой с {9|11} утра
date: Продажи выросли {летом|зимой} на десять процентов
currency: Подписка стоит {10 долларов|10 евро} в месяц
currency: Цена подписки — {299 рублей|299 долларов} в год
currency: Сделка оценена в {100 млн долл.|100 млн руб.}
currency: Штраф достигнет {1 млн евро|1 млн рублей}
currency: Стартап привлёк {$5 млн|€5 млн} инвестиций
currency: Средний чек равен {1500 руб.|1500 тенге}
currency: Тариф обойдётся в {20 юаней|20 долларов} за клиента
currency: Кэшбэк до {500 ₽|500 $} на первый заказ
actors: {Google подала в суд на Apple|Apple подала в суд на Google}
actors: {Ozon обогнал Wildberries|Wildberries обогнал Ozon} по числу заказов
actors: {Банк пожаловался на клиента|Клиент пожаловался на банк} в суд
actors: {«Магнит» купил «Дикси»|«Дикси» купил «Магнит»}
actors: {Сбербанк|ВТБ} запустил рассылку с персональными скидками
actors: Новую программу лояльности представила {«Пятёрочка»|«Лента»}
actors: Глава {Яндекса|МТС} рассказал о планах на рынке доставки
actors: {Иванов|Петров} назначен директором по маркетингу
actors: {Роскомнадзор оштрафовал Telegram|Telegram оштрафовал Роскомнадзор}
actors: {Минцифры|Минфин} предложило новые правила для рассылок
actors: {Продавцы|Покупатели} жалуются на новую комиссию маркетплейса
actors: {Meta|Microsoft} ограничила доступ рекламодателей к данным
actors: {Учитель похвалил ученика|Ученик похвалил учителя} за отчёт
place: Сеть открыла первый магазин в {Казани|Самаре}
place: Сбой затронул клиентов в {Москве|Петербурге}
place: {В Турции|В Казахстане} запретили скидочную рекламу
place: Доставка за час заработала в {Екатеринбурге|Новосибирске}
place: Склад строят под {Тулой|Рязанью}
place: Компания переносит офис из {Москвы в Дубай|Дубая в Москву}
place: Жители {Сочи|Перми} остались без доставки
place: Опрос провели в {Германии|Франции}
place: Новый закон принят в {Китае|Индии}
place: Пожар на складе маркетплейса в {Подмосковье|Татарстане}
direction: Доля покупок со скидкой {растёт|падает} третий месяц
direction: Цены на доставку {выросли|снизились} в ноябре
direction: Регулятор {запретил|разрешил} рекламу в мессенджерах
direction: Клиенты стали {чаще|реже} открывать письма
direction: Сеть {открывает|закрывает} магазины в малых городах
direction: Спрос на абонементы {увеличился|сократился} весной
direction: Приложение стало {быстрее|медленнее} после обновления
direction: Акции ритейлера {подорожали|подешевели} на открытии торгов
direction: Совет директоров {одобрил|отклонил} сделку
direction: Компания {нанимает|увольняет} сотрудников поддержки
direction: Суд {удовлетворил|отклонил} иск потребителей
direction: Отзывы о новой версии в основном {положительные|отрицательные}
direction: Маркетплейс {ужесточил|смягчил} правила возврата
direction: Компания {получила прибыль|получила убыток} по итогам года
direction: Удержание клиентов {улучшилось|ухудшилось} за квартал
direction: Банк {повысил|понизил} ставку по вкладам
direction: Команда {выиграла|проиграла} тендер на рассылки
direction: Товар стал {дороже|дешевле} после акции
direction: Письма приходят {до|после} оплаты заказа
direction: Функцию {включили|отключили} для всех пользователей
modality: Ритейлер {может ввести|ввёл} плату за пакеты
modality: {Если спрос упадёт, сеть|Сеть} закроет десять магазинов
modality: Компания {планирует запустить|запустила} подписку
modality: Telegram {запустит|запустил} платные каналы для бизнеса
modality: Власти {рассматривают запрет|ввели запрет} на обзвоны
modality: Платформа {обещает отменить|отменила} комиссию
modality: Ozon {якобы поднял|поднял} комиссию для продавцов
modality: Банк {опроверг|подтвердил} повышение тарифов
modality: Министерство {предложило|утвердило} новые правила рекламы
modality: Клиенты {хотят|не хотят} получать push-уведомления
modality: Сервис {мог бы|будет} хранить данные в России
question: {Почему приложение|Приложение} не показывает баллы{?|}
question: {Запретят ли рекламу|Запретили рекламу} в мессенджерах{?|}
question: {Ждать ли скидок|Ждите скидок} в декабре{?|}
question: Вырастут ли цены на доставку{?|, уже известно: вырастут}
question: Магазин закрывается{?|.}
question: Бонусы теперь не сгорают{?|!}
"""

TRAPS_EN = """
negation: The checkout page {works|does not work} after the update
negation: Push notifications {arrive|don't arrive} on Android phones
negation: The retailer {accepts|no longer accepts} loyalty points at checkout
negation: The company {confirmed|has not confirmed} the customer data leak
negation: Returns are accepted {with|without} a receipt
negation: Customers {can|cannot} pay with their bonus points
negation: The app {keeps|stopped} sending order receipts by email
negation: The chain {launched|never launched} a loyalty programme for students
negation: The new rule {applies|doesn't apply} to messages in apps
negation: There is {a|no} minimum order for free delivery
negation: Support {answered|hardly answered} any of my tickets this month
negation: The bank {will|won't} charge a fee for early closing
negation: I am {happy|unhappy} with the new courier service
negation: The promo code {worked|failed} at the self-service till
negation: Nobody {likes|dislikes} the redesigned home page
negation: {Everyone|No one} got the refund that was promised
negation: Consent {is|isn't} required for service messages
negation: The update {fixed|failed to fix} the login problem
numbers: The average discount reached {20%|30%} in December
numbers: The marketplace raised its fee to {15|17} percent for clothing
numbers: Open rates were {12.5%|15.2%} last week
numbers: The chain closed {12|21} stores over the year
numbers: Shipping now costs {$5|$15} for small orders
numbers: We received {1,200|1,250} complaints about returns
numbers: Points expire after {30|90} days
numbers: The fine may reach {$500 thousand|$5 million} for each case
numbers: Revenue rose to {2.5 billion|2.5 million} dollars
numbers: One in {three|five} customers unsubscribed
numbers: Active users {doubled|tripled} in a year
numbers: Cashback ranges from {3 to 5|5 to 7} percent
numbers: The offer is for orders of {more|less} than $30
numbers: My parcel came {two|three} days late
numbers: Conversion rose by {2%|2 percentage points} with the new button
numbers: Support replies in {5 minutes|5 hours} on average
numbers: An order must be {at least|at most} 20 dollars
numbers: Tickets fell from {100 to 80|100 to 60} a day
numbers: The survey asked {1,500|15,000} shoppers in ten cities
numbers: The app is rated {4.8|3.8} stars
date: The new messaging rules apply from {1 March|1 May}
date: The sale starts on {November 15|November 25}
date: The privacy act passed in {2024|2025}
date: The store will close on {Monday|Friday}
date: The outage happened {yesterday|today} in the morning
date: The release is due in the {first|third} quarter
date: The hotline is open until {6 pm|9 pm}
date: Prices change on {2025-09-01|2025-10-01}
date: The promotion lasts until the end of {January|February}
date: Results are published {this|next} week
date: The outage began at {9:00|11:00}
date: Sales were strong in {summer|winter} at the chain
currency: A subscription costs {10 dollars|10 euros} a month
currency: The yearly plan is {$299|£299} for teams
currency: The deal is valued at {100 million euros|100 million dollars}
currency: Fines go up to {€1 million|₽1 million}
currency: The startup raised {$5M|€5M} from investors
currency: The average basket is {1,500 yen|1,500 yuan}
currency: The tariff is {20 pounds|20 dollars} per customer
currency: Cashback of up to {USD 500|EUR 500} for a first order
actors: {Google sued Apple|Apple sued Google} over app store fees
actors: {Target overtook Walmart|Walmart overtook Target} in online orders
actors: {The bank complained about the customer|The customer complained about the bank} to the regulator
actors: {Adobe|Oracle} bought the email platform
actors: The loyalty programme was launched by {Tesco|Aldi}
actors: The head of {Amazon|Shopify} spoke about delivery plans
actors: {Smith|Jones} was named chief marketing officer
actors: {The regulator fined Meta|Meta fined the regulator} for tracking
actors: {Sellers|Buyers} complain about the marketplace fee
actors: {Meta|Microsoft} limited advertisers' access to data
actors: {Djokovic beat Nadal|Nadal beat Djokovic} in the final
actors: A lawsuit {by Epic against Apple|by Apple against Epic} was filed on the same day
actors: {Klaviyo|Mailchimp} suffered an outage on Tuesday
place: The chain opened its first store in {Boston|Denver}
place: The outage hit customers in {London|Paris}
place: {Turkey|Brazil} banned discount advertising
place: One-hour delivery is now live in {Chicago|Houston}
place: A warehouse is being built near {Leeds|Bristol}
place: The firm moves its office from {Berlin to Dublin|Dublin to Berlin}
place: Shoppers in {Madrid|Rome} were left without delivery
place: The poll was held in {Germany|France}
place: The law was passed in {China|India}
place: A fire broke out at the marketplace's warehouse in {Texas|Ohio}
direction: The share of discounted orders is {rising|falling} for a third month
direction: Delivery prices went {up|down} in November
direction: The regulator {banned|allowed} advertising in messengers
direction: Customers open mails {more|less} often
direction: The chain {opens|closes} stores in small towns
direction: Demand for subscriptions {increased|decreased} in spring
direction: The app is {faster|slower} after the update
direction: Shares of the retailer {jumped|tumbled} at the opening
direction: The board {approved|rejected} the deal
direction: The company is {hiring|firing} support staff
direction: The court {upheld|dismissed} the consumers' claim
direction: Reviews of the new version are mostly {positive|negative}
direction: The marketplace {tightened|relaxed} its return rules
direction: The firm reported a yearly {profit|loss}
direction: Retention {improved|worsened} over the quarter
direction: The bank {raised|cut} its deposit rate
direction: The agency {won|lost} the mailing tender
direction: The product became {cheaper|more expensive} after the sale
direction: Mails arrive {before|after} the order is paid
direction: The feature was turned {on|off} for all users
modality: The retailer {may introduce|introduced} a fee for bags
modality: {If demand falls, the|The} chain will close ten stores
modality: The company {plans to launch|launched} a subscription
modality: Telegram {will launch|launched} paid channels for business
modality: The authorities {consider banning|banned} cold calls
modality: The platform {promises to drop|dropped} its fee
modality: Amazon {allegedly raised|raised} the fee for sellers
modality: The bank {denied|confirmed} the rise of tariffs
modality: The ministry {proposed|adopted} new rules for advertising
modality: Apple {could delay|delayed} the tracking change
modality: The service {should|does} store its data in Europe
question: {Does the app|The app} show the points{?|.}
question: {Will they ban|They banned} ads in messengers{?|.}
question: {Should shoppers expect|Shoppers should expect} discounts in December{?|.}
question: Why {did prices rise|prices rose} this winter{?|: the full list}
question: The shop is closing{?|.}
question: Bonus points no longer expire{?|!}
"""

COPIES_RU = """
edit: Приложение банка не работает после {обновления|последнего обновления}
edit: Push-уведомления {перестали доходить|больше не доходят} до клиентов на Android
edit: {Сеть|Торговая сеть} закрыла 12 магазинов за год
edit: Ozon поднял комиссию для продавцов до 15{%| процентов}
edit: Штраф за спам составит {500 тысяч|500 000} рублей
edit: Сделка оценена в {2,5 млрд|2500 млн} рублей
edit: Новые правила рассылок вступят в силу {1 марта|с 1 марта}
edit: {Роскомнадзор оштрафовал Telegram за рекламу|Telegram оштрафован Роскомнадзором за рекламу}
edit: Доля покупок со скидкой {растёт|увеличивается} третий месяц
edit: Цены на доставку {выросли|повысились} в ноябре
edit: Мобильное приложение магазина {не открывается|не открывается!!!} второй день
edit: Бонусы сгорают {через 30 дней|через тридцать дней}
edit: ВТБ запустил {рассылку с персональными скидками|персональные скидки в рассылке}
edit: {⚡️ |}Маркетплейс ужесточил правила возврата{ #новости|}
edit: Подписка стоит {299 руб.|299 ₽} в месяц
edit: Поддержка не отвечает {уже неделю|неделю}
edit: Ритейлер {отменил|закрыл} программу лояльности в регионах
edit: Компания {сообщила|заявила} об утечке данных клиентов
edit: {Учёные|Исследователи} связали частые рассылки с ростом отписок
edit: Скидка действует не только в приложении, но и {на сайте|на нашем сайте}
edit: {СМИ: |}Сбербанк откроет первый магазин в Казани
edit: Закон о рекламе {приняла Госдума|принят Госдумой}
edit: {В Казани сеть открыла первый магазин|Сеть открыла первый магазин в Казани}
edit: Клиенты стали {чаще|более часто} открывать письма
edit: Минцифры предложило новые правила для {рассылок|рассылок и обзвонов}
edit: Промокод не сработал на кассе{| самообслуживания}
edit: {Ёлка|Елка} в подарок за заказ от 3000 рублей
edit: Маркетплейс введёт плату за возврат{ — подробности: https://example.org/a?utm_source=x| https://example.org/a}
edit: «Лента» представила {новую программу лояльности|обновлённую программу лояльности}
edit: "Магнит" купил {долю в «Дикси»|часть «Дикси»}
edit: Суд {отклонил|не удовлетворил} иск потребителей
edit: Магазин закроется в пятницу{, 28 ноября|}
edit: Доставка за час {заработала|появилась} в Екатеринбурге
edit: Роскомнадзор {заблокировал|ограничил доступ к} сайту с поддельными промокодами
edit: {Вчера|Вчера утром} произошёл сбой в работе касс
edit: Компания {не подтвердила|отказалась подтвердить} утечку данных
edit: Число активных пользователей выросло {вдвое|в два раза}
edit: {Почему приложение не показывает баллы?|Почему в приложении не показываются баллы?}
edit: Стартап привлёк {$5 млн|5 млн долларов} инвестиций
edit: Apple {изменит|поменяет} правила отслеживания в iOS 18
edit: Цена подписки {вырастет|увеличится} с 1 января
edit: Средний чек {упал|снизился} на 5% за квартал
edit: Яндекс {запустил|представил} платную подписку для бизнеса
edit: {Покупатели|Клиенты} жалуются на долгую доставку
edit: Закон запрещает рекламу {без согласия|без согласия клиента}
edit: Курьер опоздал на два часа и {не извинился|даже не извинился}
edit: Глава «Яндекса» рассказал о {планах|своих планах} на рынке доставки
edit: Сервис {перестал работать|сломался} в Москве
edit: Письма со скидкой приходят {слишком часто|чересчур часто}
edit: Ритейлер вернул {клиентам деньги|деньги клиентам} за отменённые заказы
edit: Wildberries {может ввести|возможно введёт} плату за примерку
edit: Почта банка приходит {в спам|в папку «Спам»}
"""

COPIES_EN = """
edit: The checkout page does not work after the {update|latest update}
edit: Push notifications {don't|do not} arrive on Android phones
edit: The {chain|retail chain} closed 12 stores over the year
edit: Amazon raised its seller fee to 15{%| percent}
edit: The fine may reach {$500 thousand|$500,000} for each case
edit: The deal is valued at {2.5 billion|2,500 million} dollars
edit: The new messaging rules apply {from 1 March|from March 1}
edit: {The regulator fined Meta for tracking|Meta was fined by the regulator for tracking}
edit: The share of discounted orders is {rising|growing} for a third month
edit: Delivery prices {went up|rose} in November
edit: The shop app {won't|will not} open since this morning
edit: Points expire after {30|thirty} days
edit: {BREAKING: |}Google sued Apple over app store fees
edit: The subscription costs {10 dollars|$10} a month
edit: Support {hasn't|has not} answered for a week
edit: The retailer {cancelled|scrapped} its loyalty programme
edit: The company {said|announced} that customer data leaked
edit: {Scientists|Researchers} link frequent mailings with opt-outs
edit: The discount works not only in the app but also {online|on the website}
edit: {Report: |}Tesco opens its first store in Denver
edit: {Adobe bought the email platform|The email platform was bought by Adobe}
edit: {In Boston the chain opened its first store|The chain opened its first store in Boston}
edit: Customers open mails {more often|more frequently}
edit: The ministry proposed new rules for {mailings|mailings and calls}
edit: The promo code failed at the till{| again}
edit: The {programme|program} gives cashback of 5% on groceries
edit: The marketplace tightens its return rules {https://example.org/a?utm_source=tg|(example.org/a)}
edit: Aldi {launched|rolled out} its loyalty card in Germany
edit: The court {dismissed|threw out} the consumers' claim
edit: The store will close on Friday{, November 28|}
edit: One-hour delivery {is now live|is available now} in Chicago
edit: The watchdog {blocked|shut down} a site with fake promo codes
edit: The outage happened {yesterday|yesterday morning} at all tills
edit: The firm {did not confirm|refused to confirm} the data leak
edit: Active users {doubled|grew twofold} in a year
edit: {Why does the app not show my points?|Why doesn't the app show my points?}
edit: The startup raised {$5M|$5 million} from investors
edit: Apple will {change|alter} its tracking rules in iOS 18
edit: The price of the plan {will rise|will go up} on 1 January
edit: The average basket {fell|dropped} by 5% over the quarter
edit: Shopify {launched|introduced} a paid plan for business
edit: {Shoppers|Customers} complain about slow delivery
edit: The law bans ads without {consent|the customer's consent}
edit: The courier came two hours late and {didn't apologise|did not even apologise}
edit: Djokovic {beats|downs} Nadal to reach the final
edit: The service {stopped working|went down} in London
edit: Mails with discounts come {too|far too} often
edit: The shop {refunded customers|gave customers a refund} for cancelled orders
edit: Walmart {may|might} introduce a fee for returns
edit: The bank's mails end up in {spam|the spam folder}
edit: The company didn't just {cut prices|cut all prices}, it also dropped delivery fees
edit: Microsoft {limits|restricts} advertisers' access to data
"""


# Written after the rules, more freely; `first | second`.
LATER_TRAPS = """
Магазин у дома перестал принимать карты «Мир»|Магазин у дома снова принимает карты «Мир»
Отток абонентов превысил 12% за год|Отток абонентов превысил 21% за год
Рассылку получили 40 тысяч клиентов|Рассылку получили 400 тысяч клиентов
Пуши приходят по три раза в день|Пуши приходят по пять раз в день
Доступ к кабинету восстановлен|Доступ к кабинету не восстановлен
Ни один заказ не доставлен вовремя|Все заказы доставлены вовремя
Госдума приняла закон о маркировке рекламы в третьем чтении|Госдума приняла закон о маркировке рекламы в первом чтении
Акция действует до 31 декабря|Акция действует до 31 января
Минимальный заказ вырос с 500 до 700 рублей|Минимальный заказ снизился с 700 до 500 рублей
В «Магните» опровергли закрытие магазинов|В «Магните» подтвердили закрытие магазинов
Авито ввёл комиссию за доставку|Юла ввела комиссию за доставку
Скидка есть только у новых клиентов|Скидка есть только у старых клиентов
Покупатели довольны новым приложением|Покупатели недовольны новым приложением
Если закон примут, рассылки без согласия запретят|Закон принят, рассылки без согласия запрещены
Сервис заработает в Минске|Сервис заработал в Минске
Иск подал ритейлер против поставщика|Иск подал поставщик против ритейлера
Чат-бот решает половину обращений|Чат-бот решает четверть обращений
Кэшбэк отменили для всех категорий|Кэшбэк вернули для всех категорий
Доставка стала бесплатной|Доставка стала платной
Банк не будет повышать тариф|Банк будет повышать тариф
Курс евро поднялся выше 100 рублей|Курс евро опустился ниже 100 рублей
Сотрудники поддержки работают круглосуточно|Сотрудники поддержки не работают круглосуточно
The refund never came|The refund came
Delivery takes 2 days|Delivery takes 2 weeks
Users must opt in to emails|Users need not opt in to emails
The app crashes on iOS 17|The app crashes on iOS 18
Walmart will not extend returns|Walmart will extend returns
Open rate fell from 22% to 18%|Open rate fell from 22% to 12%
The company has yet to confirm the breach|The company has confirmed the breach
Ikea shuts its Lyon store|Ikea opens its Lyon store
Spotify adds free tier in India|Spotify removes free tier in India
Nike hired Smith from Adidas|Adidas hired Smith from Nike
EU to fine Apple|EU fined Apple
Is email marketing dead?|Email marketing is dead
Prices are up 5% in May|Prices are up 5% in June
All stores are open on Sunday|All stores are closed on Sunday
The coupon is valid for one month|The coupon is valid for one year
Fees drop below 1%|Fees rise above 1%
Customers prefer chat to phone|Customers prefer phone to chat
The bug has been fixed|The bug has not been fixed
"""

LATER_COPIES = """
Магазин у дома перестал принимать карты «Мир»|Магазин у дома больше не принимает карты «Мир»
Отток абонентов превысил 12% за год|За год отток абонентов превысил 12%
Рассылку получили 40 тысяч клиентов|Рассылка пришла 40 000 клиентов
Авито ввёл комиссию за доставку|Авито вводит комиссию на доставку
Сервис заработал в Минске|Сервис начал работать в Минске
Доставка стала бесплатной|Доставка теперь бесплатная
Покупатели недовольны новым приложением|Покупатели не довольны новым приложением
Кэшбэк отменили для всех категорий|Отменён кэшбэк для всех категорий
Госдума приняла закон о маркировке рекламы|Закон о маркировке рекламы принят Госдумой
По данным РБК, «Лента» закрывает 20 магазинов|«Лента» закрывает 20 магазинов, пишет РБК
Apple представила iPhone 20|Apple показала iPhone 20 на презентации
The refund never came|The refund did not come
Walmart will not extend returns|Walmart won't extend returns
Ikea shuts its Lyon store|Ikea closes its store in Lyon
EU fined Apple 500 million euros|Apple fined €500 million by EU
The app keeps crashing on iOS 17|App keeps crashing on iOS 17!
Prices are up 5% in May|Prices rose 5% in May
The coupon is valid for one month|The coupon is valid for a month
Open rate fell from 22% to 18%|Open rate dropped to 18% from 22%
The bug has not been fixed|The bug is not fixed yet
"""


def _pairs(text: str, language: str) -> tuple[Pair, ...]:
    seen: dict[str, int] = {}
    found: list[Pair] = []
    for line in filter(None, text.splitlines()):
        kind, template = line.split(": ", 1)
        first, second = (
            re.sub(r"\{([^{}|]*)\|([^{}|]*)\}", rf"\{side}", template).strip() for side in (1, 2)
        )
        seen[kind] = seen.get(kind, 0) + 1
        found.append(Pair(kind, language, first, second, seen[kind] % 3 == 0))
    return tuple(found)


TRAPS = _pairs(TRAPS_RU, "ru") + _pairs(TRAPS_EN, "en")
COPIES = _pairs(COPIES_RU, "ru") + _pairs(COPIES_EN, "en")


def _later(text: str, kind: str) -> tuple[Pair, ...]:
    halves = (line.split("|") for line in filter(None, text.splitlines()))
    return tuple(Pair(kind, "en" if a.isascii() else "ru", a, b, True) for a, b in halves)


LATER = _later(LATER_TRAPS, "trap") + _later(LATER_COPIES, "copy")
