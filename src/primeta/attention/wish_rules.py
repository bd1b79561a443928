"""The rules by which wishes are found: word patterns over one clause, in small letters, «ё» written as «е»."""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


# How people call the channels.
CHANNELS: dict[str, re.Pattern[str]] = {
    "sms": _any(r"\b(?:смс|sms|эсэмэс)\w*", r"\btexts?\b", r"\btexting\b", r"\btext messages?"),
    "push": _any(r"\bпуш\w*", r"\bpush\b\w*", r"\bуведомлени\w*", r"\b(?:app )?notifications?\b"),
    "whatsapp": _any(r"\bв[оа]т[сц]?ап\w*", r"\bватцап\w*", r"\bwhats ?app\b"),
    "telegram": _any(r"\bтелеграм\w*", r"\bтелег[уеаи]\b", r"\btelegram\b", r"\bв тг\b"),
    "viber": _any(r"\bвайбер\w*", r"\bviber\b"),
    "email": _any(
        r"\be-?mail(?:s|ing|ed)?\b", r"\b[еиэ]-?м[еэ]йл\w*", r"\b(?:электронн\w+ )?почт[уеыаой]\w?\b", r"\bписьм\w*", r"\bписем\b",
        r"\bmailing me\b",
    ),
    "call": _any(
        r"\b(?:по|пере)?звон(?:ить|ите|ок|ки|ков|ками|кам)\b", r"\bназванива\w+", r"\bcall(?:s|ing)?\b",
        r"\bphon(?:e|ing)\b(?! number)", r"\b(?:don't|dont|not|stop|never) ring(?:ing)?\b", r"\bпо телефону\b",
    ),
}  # fmt: skip
_CHANNEL = "|".join(f"(?:{pattern.pattern})" for pattern in CHANNELS.values())

# What is sent to people who did not ask for it.
_ADS = (
    r"реклам\w*|рассыл\w*|спам\w*|акци\w+|промо\w*|предложени\w*|скидк\w*|сообщени\w*|новост\w*|маркетинг\w*|"
    r"offers?|promotions?|promos?|promotional|marketing|newsletters?|messages?|ads|adverts?|advertising|spam|mailings?|junk"
)
_NEAR = r"(?:[\w'-]+ ){0,4}?"
"""Up to four words between."""

# Somebody else's words, or our own footer.
REPORTED = re.compile(
    r"\b(?:сказал\w?|говори[тл]\w?|написал\w?|пишет|попросил\w?|просил\w?|ответил\w?|said|says|wrote|writes|asked|told \w+) ?:.*$"
)
FOOTER = _any(
    r"чтобы отписаться", r"если вы (?:больше )?не хотите получать", r"вы получили это (?:письмо|сообщение)",
    r"to unsubscribe,? (?:please )?(?:click|reply|follow|visit|from)", r"you (?:are receiving|received) this",
    r"(?:click|tap) (?:here|below) to unsubscribe", r"if you no longer wish to receive",
)  # fmt: skip

# Nothing is wished for: asked why it stopped, denied, taken back, told of the past.
NO_WISH = _any(
    r"\bпочему\b(?!.*\b(?:до сих пор|опять|снова|все еще|всё ещё)\b)", r"\bкто (?:меня )?отписал",
    r"\bwhy\b(?!.*\bstill\b)",
    r"\bне (?:надо |нужно |стоит )?(?:меня )?(?:отписыва\w+|отпишите|удаля\w+|исключа\w+|убира\w+|отключа\w+|стира\w+)",
    r"\b(?:don't|do not|dont|never|not to|please not) (?:ever )?(?:unsubscribe|remove|delete|erase|opt|stop|take me)\b",
    r"\bпередумал\w?\b", r"\bchanged my mind\b", r"\bя против\b", r"\badd me back\b", r"\bby mistake\b", r"\bпо ошибке\b",
    r"\bспасибо,? что не\b", r"\bthank(?:s| you) for not\b", r"\balmost unsubscribed\b", r"\bверните\b.*\bподписк\w+",
    r"\bпереста(?:л|ла|ли|ло) \w+", r"\bstopped \w+ing\b",
)  # fmt: skip
# It is about a delivery, a door, an order: calls and writing mean something else there.
ERRAND = _any(
    r"\bкурьер\w*", r"\bдвер\w+", r"\bдомофон\w*", r"\bдоставк\w+", r"\bдоставщик\w*", r"\bкоробк\w+", r"\bкорзин\w+",
    r"\b(?:на|из|в) заказ\w*", r"\bзаказ\w* (?:не|на)\b", r"\b(?:the |at )?door(?:bell)?\b", r"\bcourier\b", r"\bdrivers?\b", r"\bdelivery\b",
    r"\b(?:this|my|the) order\b", r"\bin the box\b", r"\bцены? на\b", r"\bстар(?:ый|ому) (?:номер|адрес|телефон|\d)", r"\bна старый\b", r"\bold (?:number|address|phone|email)\b", r"\bописани\w+",
)  # fmt: skip

DELETE = _any(
    r"\bисключит[еь]\b.*\bперсональн\w+ данн\w+", r"\b(?:erase|delete|wipe) me\b",
    r"\b(?:удалите|сотрите|уберите) (?:его|ее|их|все|меня) (?:отовсюду|везде|из всех баз)\b",
    r"\bчтобы (?:обо мне|про меня|меня) забыли\b", r"\bзабудьте (?:обо мне|про меня|о моем существовании)\b",
    r"\b(?:my account|account) (?:closed|deleted|removed|wiped)\b", r"\b(?:close|deactivate|terminate) my (?:\w+ )?account\b",
    r"\b(?:everything|all) (?:\w+ ){0,3}about me (?:\w+ )?(?:wiped|erased|deleted|removed|gone)\b",
    r"\b(?:удалит[еь]|удалять|стереть|сотрите|уничтож(?:ьте|ить)|стирайте|забудьте)\b.*\b(?:данн\w+|аккаунт\w*|личн\w+ кабинет\w*|профил\w+|"
    r"уч[её]тн\w+|информаци\w+ (?:обо|о) мне|персональн\w+)",
    r"\b(?:удалит[еь]|исключите|уберите|сотрите)\b(?!.*рассыл).*\bиз (?:\w+ )?(?:баз\w+|систем\w+)(?! рассыл)",
    r"\b(?:закрыть|закройте) (?:мой |свой )?(?:аккаунт|профиль|личный кабинет|учетную запись)",
    r"\bотзываю\b.*\b(?:обработк\w+|персональн\w+)",
    r"\bпрекрат\w+ обработк\w+",
    r"\b(?:delete|erase|remove|wipe|destroy)\b.*\b(?:my|personal|all) ?(?:\w+ ){0,2}(?:data|account|information|records|profile|details)\b",
    r"\b(?:delete|erase|remove)\b.*\b(?:information|records|data|details) (?:\w+ ){0,4}(?:about|of|on) me\b",
    r"\berasure of my\b", r"\b(?:to be|be) forgotten\b", r"\bforget me\b",
    r"\bwithdraw\b.*\bconsent\b.*\b(?:processing|personal data)\b",
)  # fmt: skip

_TO = r"(?:в|во|на|по|через|via|by|through|on|to|per)"
ONLY = _any(
    rf"\bпредпочитаю (?:только |лишь )?(?:общаться |связь )?(?:{_TO} )?(?:{_CHANNEL})",
    rf"\bprefer (?:to be \w+ )?(?:{_TO} )?(?:{_CHANNEL})(?: only)?\b",
    rf"\b(?:пишите|писать|присыла\w+|шлите|слать|связыва\w+|связь|свяж\w+|общ\w+|контакт\w*|информ\w+|уведомля\w+|предложени\w+|отправля\w+)\b.*"
    rf"\b(?:только|исключительно|лишь) {_TO} (?:\w+ )?(?:{_CHANNEL})",
    rf"^\W*(?:прошу |пожалуйста )?(?:только|исключительно|лишь) {_TO} (?:\w+ )?(?:{_CHANNEL})\W*(?:пожалуйста)?\W*$",
    rf"\bonly (?:contact|reach|write|message|send|notify|inform)\b.*\b{_TO} (?:{_CHANNEL})",
    rf"\bonly (?:{_CHANNEL}) me\b",
    rf"\b{_TO} (?:{_CHANNEL}) only\b",
    rf"\bonly {_TO} (?:{_CHANNEL})",
    rf"^\W*(?:please )?(?:{_CHANNEL}) only\b(?! \w+)",
)

_MESSAGES = rf"(?:{_CHANNEL}|{_ADS}|\bпиш\w+|\bписать|\bшл[её]те|\bслать|\bприсыла\w+|\bрассыла\w+|\bполуча\w+|\bнапомина\w+|\byou (?:send|write|text|email|call|contact)\b)"
LESS = _any(
    r"\b(?:once|twice|\w+ times) (?:a|per) (?:day|week|month) is (?:plenty|enough|fine)\b",
    rf"\b(?:куда|зачем|к чему) столько (?:\w+ )?(?:{_CHANNEL}|{_ADS})", r"\bне каждый (?:день|час)\b", r"\b(?:не )?так часто\b",
    rf"\bобещали?\b.*\b(?:раз|раза) в (?:неделю|месяц)\b.*(?:{_MESSAGES})",
    r"\b(?:said|promised)\b.*\b(?:once|twice) a (?:week|month)\b.*\b(?:every|daily|day)\b",
    r"\b(?:weekly|monthly|once a (?:week|month)) (?:would|will) (?:be|do)\b", r"\b(?:less|fewer) of (?:these|those|them|your)\b",
    r"\bnot (?:every day|so often|daily)\b",
    r"\bне чаще\b", r"\bпореже\b",
    rf"(?:{_MESSAGES}).*\b(?:реже|слишком часто|слишком много|многовато|перебор|через край)\b",
    rf"\b(?:реже|слишком часто|слишком много|многовато)\b.*(?:{_MESSAGES})",
    r"\b(?:no|not) more than (?:once|twice|\w+ (?:times|emails?|texts?|messages?|calls?|offers?))\b",
    r"\bat most (?:once|twice|\w+ (?:times|emails?|texts?|messages?|calls?|offers?))\b",
    r"\b(?:less often|less frequent\w*|fewer (?:\w+ )?(?:emails?|texts?|messages?|calls?|notifications?|offers?))\b",
    rf"\btoo (?:many|much) (?:\w+ )?(?:{_CHANNEL}|{_ADS})",
    rf"(?:{_MESSAGES}).*\btoo (?:often|frequently|much)\b",
    r"\bonce (?:a|per|every) (?:week|month|day) is (?:enough|plenty|fine)\b",
)  # fmt: skip
PER_WEEK: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            r"\b(?:одного раза|1 раза?|раза?|одно\w* \w+) в неделю|\b(?:once|one \w+) (?:a|per|every) week"
        ),
        1,
    ),
    (
        re.compile(
            r"\b(?:двух|2)(?:-?х)? (?:раз|пис\w+|сообщени\w+) в неделю|\b(?:twice|(?:two|2) \w+) (?:a|per) week"
        ),
        2,
    ),
    (
        re.compile(
            r"\b(?:тр[её]х|3)(?:-?х)? (?:раз|пис\w+|сообщени\w+) в неделю|\b(?:three|3) \w+ (?:a|per) week"
        ),
        3,
    ),
)
"""The rarer first: «двух раз в неделю» holds «раз в неделю», so the last that fits counts."""

_TELL = (
    r"пишите|писать|шлите|слать|присылайте|присылать|высылайте|высылать|рассылайте|рассылать|звоните|звонить|названивайте|"
    r"названивать|беспокойте|беспокоить|тревожьте|тревожить|спамьте|спамить|отправляйте|отправлять|докучать"
)
_ENDS = r"(?:\W*$|\W+(?:больше|пожалуйста|никогда|мне|нам|сюда|and|и)\b)"
_SENDING = r"sending|texting|calling|e-?mailing|messaging|writing|contacting|spamming|mailing|phoning|bothering|pestering|harassing|ringing"
_SEND = r"contact|call|text|e-?mail|write|message|send|phone|spam|mail|bother|disturb|ring"
BARE = _any(
    r"^\W*(?:уже )?(?:отключите|уберите|прекратите|остановите|выключите|отмените)(?: уже| же| пожалуйста| немедленно)*\W*$"
)
"""What is to be stopped stands in the clause before."""
STILL = _any(
    r"\b(?:отписал\w*|отписк\w+|отписыва\w+)\b.*\b(?:все (?:равно|еще|идут|приходят|шл\w+)|опять|снова|до сих пор|продолжа\w+|вс[её] идут)\b",
    r"\b(?:до сих пор|опять|снова|все еще|все равно|продолжа\w+)\b.*\b(?:отписал\w*|отписк\w+)\b",
    r"\b(?:unsubscribed|opted out|asked you to stop)\b.*\b(?:still|again|(?<!please )keeps?|continue\w*|anyway)\b",
    r"\bstill\b.*\b(?:after|since) (?:i )?(?:unsubscrib\w+|opt\w+ out)\b",
)
"""He has opted out, and it goes on; over a whole sentence."""
STOP = _any(
    rf"(?:{_CHANNEL}|{_ADS}).*\b(?:never (?:agreed|signed|subscribed|asked|wanted)|не (?:подписывал\w*|соглашал\w*))\b",
    rf"\b(?:never (?:agreed|signed up|subscribed)|не (?:подписывал\w*|соглашал\w*))\b.*(?:{_CHANNEL}|{_ADS})",
    rf"\b(?:cease|end) (?:all |any |the |your )*(?:{_CHANNEL}|{_ADS})",
    BARE.pattern,
    r"\bmake (?:it|this|them) stop\b",
    r"\b(?:lose|forget) my (?:number|address|email)\b",
    r"\bзабудьте мой (?:номер|адрес|телефон)\b",
    rf"(?:^\W*|\b(?:pls|please|plz) )no (?:more )?(?:{_CHANNEL}|{_ADS})",
    r"^\W*(?:спам\W*)+$",
    r"^\W*(?:вы )?(?:уже )?(?:надоели|достали|задолбали|замучили)\W*$",
    r"^\W*(?:уберите|прекратите|остановите|отключите) (?:уже |же |пожалуйста )*это\b",
    rf"(?:{_ADS}|{_CHANNEL}) (?:\w+ ){{0,4}}?(?:видеть|получать|слышать|читать) (?:больше )?не (?:хочу|желаю|намерен\w?)",
    # Do not write, do not call.
    rf"\bне (?:надо |нужно |смейте |стоит )?{_NEAR}(?:звоните|звонить|названивайте|названивать|беспокойте|беспокоить|тревожьте|спамьте|спамить)\b",
    r"\b(?:звонить|писать|слать|присылать|беспокоить) (?:мне |нам |сюда |больше )*не (?:надо|нужно|стоит|смейте)\b",
    rf"\bне (?:надо |нужно |смейте |стоит )?(?:мне |нам |сюда |больше |ничего |никогда |тут |вообще )*(?:{_TELL}) ?(?:мне|нам|сюда|больше|никогда|ничего|в лс)\b",
    rf"\bне (?:надо |нужно |смейте |стоит )?(?:\w+ )?(?:мне|нам|больше|ничего|никогда) (?:\w+ ){{0,2}}?(?:{_TELL})\b",
    rf"\b(?:мне|нам|больше) (?:\w+ ){{0,2}}?не (?:надо |нужно )?(?:{_TELL})\b",
    rf"\bне (?:надо |нужно )?(?:{_TELL}){_ENDS}",
    rf"\bне (?:надо |нужно )?(?:{_TELL})\b.*(?:{_CHANNEL}|{_ADS})",
    rf"(?:{_CHANNEL}|{_ADS}) (?:\w+ )?не (?:{_TELL})\b",
    # Enough, stop it.
    rf"\b(?:хватит|прекрат\w+|перестаньте|прекращайте|довольно|завязывайте|кончайте|заканчивайте|сколько можно|может хватит|достаточно) {_NEAR}(?:{_TELL})\b",
    rf"\b(?:прекрат\w+|перестаньте|прекращайте) (?:\w+ ){{0,3}}?(?:{_ADS})",
    rf"\b(?:достал\w?|задолбал\w?|надоел\w?|замучил\w?|заколебал\w?)\b.*(?:{_ADS}|{_CHANNEL})",
    r"^\W*прекратите\W*$",
    # Take me off.
    r"\bотпишите\b",
    r"\bотписать меня\b",
    r"\b(?:прошу|просьба|требую|хочу|пора) отпи(?:сать|шите)\b",
    r"\b(?:как|где|прошу|хочу|надо|могу|можно|помогите|кнопк\w+|ссылк\w+)\b.*\bотписаться\b",
    r"^\W*отпис(?:ка|аться)\W*$",
    rf"\b(?:снимите|уберите|исключите|удалите|вычеркните|отключите|отмените|остановите|убрать|отключить|отменить|исключить|удалить|снять|выключите|выключить|отписать|деактивируйте)\b.*(?:{_ADS}|{_CHANNEL})",
    r"\b(?:уберите|исключите|вычеркните|удалите) меня\b(?!.*\b(?:заказ|очеред|групп|чат))",
    # I do not want it.
    rf"\bне (?:хочу|желаю|хотим|намерен\w?|готов\w?|собираюсь) (?:\w+ ){{0,3}}?(?:получать|видеть|слышать|читать)\b.*(?:{_ADS}|{_CHANNEL}|\bот вас\b|\bваш\w+)",
    rf"(?:{_CHANNEL}|{_ADS}) (?:\w+ ){{0,2}}?(?:не (?:нужн\w+|надо|хочу|интересн\w+))",
    rf"\bне (?:нужн\w+|надо) (?:\w+ ){{0,3}}?(?:{_ADS}|{_CHANNEL}|слать|присылать)",
    rf"\bзапрещаю\b.*(?:{_TELL}|{_ADS}|{_CHANNEL})",
    rf"\bотзываю\b.*\bсогласи\w+(?:$|.*(?:{_ADS}|{_CHANNEL}))",
    rf"\bне давал\w? (?:\w+ )?согласи\w+.*(?:{_ADS}|{_CHANNEL}|\bписать|\bзвон)",
    r"\bв покое\b",
    r"\b(?:отстаньте|отвяжитесь|отвалите|отцепитесь)\b",
    # English.
    rf"(?<!did you )(?<!can't )(?<!to )\b(?:stop|quit|cease) (?:\w+ )?(?:{_SENDING})\b",
    rf"\bstop (?:the |these |those |your |all |with the )*(?:{_ADS}|{_CHANNEL})",
    r"^\W*(?:stop|стоп)\W*(?:please|now|it|all)?\W*$",
    rf"(?<!did )(?<!i )\b(?:do not|don't|dont|never|please not) (?:ever )?(?:(?:{_SEND}),? or )?(?:contact|call|phone|text|e-?mail|message|spam|bother|disturb|ring)\b(?! received)",
    r"(?<!did )(?<!i )\b(?:do not|don't|dont|never) (?:ever )?(?:write|mail|send)\b(?: (?:to|me|us|any|anything|more|your|these|out)\b)+(?! the old)",
    rf"(?<!did )(?<!i )\b(?:do not|don't|dont) send (?:\w+ ){{0,3}}?(?:{_ADS}|{_CHANNEL})",
    r"(?<!to )\bunsubscribe\b",
    r"\b(?:how|where|want|like|wish|need|trying|tried|unable) .*\bto unsubscribe\b",
    r"\bunsubscribe me\b",
    r"\b(?:remove|take|get|delete) (?:me|us)\b(?: (?:off|from|out)\b.*\b(?:lists?|mailings?|database|newsletters?|e-?mails?|this|it|spam)\b| off\b|\W*$)",
    r"\b(?:remove|delete|take) my (?:\w+ ){1,3}?(?:from|off)\b",
    r"\b(?:don't|do not|dont|no longer|never|not) (?:\w+ )?(?:want|wish|wanted|like|care|interested)(?: \w+)?(?: \w+)? (?:receive|get|hear|receiving|getting|hearing|be contacted|contacted|see)\b",
    r"\bopt(?: (?:me|us))?[ -]out\b",
    r"\b(?:withdraw|revoke)\b.*\bconsent\b",
    r"\bleave (?:me|us) alone\b",
    rf"\benough (?:with|of) (?:\w+ ){{0,2}}?(?:{_ADS}|{_CHANNEL})",
    rf"\bno more (?:\w+ )?(?:{_ADS}|{_CHANNEL})",
    rf"\b(?:turn|switch)\b.*(?:{_ADS}|{_CHANNEL}).* off\b",
    rf"\b(?:turn off|disable|switch off|deactivate|cancel)\b.*(?:{_ADS}|{_CHANNEL}|\bsubscription\b)",
)
# Not the letters of ours that they are about.
GOODS = _any(
    r"\b(?:заказ\w*|товар\w*|посылк\w+|чек\w*|сч[её]т\w*|код\w*|деньги|адрес\w*|подписк\w+ (?:на|за) (?!рассыл|новост)\w+)\b",
    r"\b(?:it|them) to\b", r"\bparcel\b", r"\bitems?\b", r"\bpackage\b", r"\bсвет\w*\b", r"\bкарт[уы]\b",
)  # fmt: skip
