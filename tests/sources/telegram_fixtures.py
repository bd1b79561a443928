"""Small exports and pages in the shape in which Telegram writes them."""

from __future__ import annotations

EXPORT_HTML = """<!DOCTYPE html>
<html>
 <head>
  <meta charset="utf-8"/>
  <title>Exported Data</title>
  <link href="css/style.css" rel="stylesheet"/>
  <script src="js/script.js" type="text/javascript">
  </script>
 </head>
 <body onload="CheckLocation();">
  <div class="page_wrap">
   <div class="page_header">
    <div class="content">
     <div class="text bold">
Новости розницы
     </div>
    </div>
   </div>
   <div class="page_body chat_page">
    <div class="history">
     <a class="pagination block_link" href="messages.html">Previous messages</a>
     <div class="message service" id="message-1">
      <div class="body details">
3 March 2026
      </div>
     </div>
     <div class="message default clearfix" id="message11">
      <div class="pull_left userpic_wrap"><div class="userpic userpic3"><div class="initials">А</div></div></div>
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 10:15:00 UTC+03:00">
10:15
       </div>
       <div class="from_name">
Анна via @gif
       </div>
       <div class="text">
Скидки <strong>кончились</strong><br><br>Вот <a href="https://shop.example/a?utm_source=tg">отчёт</a> <a href="" onclick="return ShowHashtag(&quot;розница&quot;)">#розница</a>
       </div>
      </div>
     </div>
     <div class="message default clearfix joined" id="message12">
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 10:16:00 UTC+03:00">
10:16
       </div>
       <div class="reply_to details">
In reply to <a href="messages.html#go_to_message5">this message</a>
       </div>
       <div class="text">
И ещё одно
       </div>
      </div>
     </div>
     <div class="message default clearfix" id="message13">
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 11:00:00 UTC+03:00">
11:00
       </div>
       <div class="from_name">
Борис
       </div>
       <div class="pull_left forwarded userpic_wrap"><div class="userpic"></div></div>
       <div class="forwarded body">
        <div class="from_name">
Деловой канал <span class="date details" title="02.03.2026 09:00:00 UTC+03:00"> 02.03.2026 09:00:00</span>
        </div>
        <div class="media_wrap clearfix">
         <a class="photo_wrap clearfix pull_left" href="photos/photo_1.jpg"><img class="photo" src="photos/photo_1_thumb.jpg"/></a>
        </div>
        <div class="text">
Первая часть
        </div>
       </div>
      </div>
     </div>
     <div class="message default clearfix joined" id="message14">
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 11:05:00 UTC+03:00">
11:05
       </div>
       <div class="forwarded body">
        <div class="text">
Вторая часть
        </div>
       </div>
      </div>
     </div>
     <div class="message default clearfix" id="message15">
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 12:00:00">
12:00
       </div>
       <div class="from_name">
Анна
       </div>
       <div class="media_wrap clearfix">
        <div class="media_poll">
         <div class="question bold">
Нужны ли скидки?
         </div>
         <div class="details">
Anonymous poll
         </div>
         <div class="answer">
- да <span class="details">10 votes</span>
         </div>
         <div class="answer">
- нет
         </div>
         <div class="total details">
12 votes
         </div>
        </div>
       </div>
      </div>
     </div>
     <div class="message default clearfix" id="message16">
      <div class="body">
       <div class="pull_right date details" title="03.03.2026 12:30:00 UTC+03:00">
12:30
       </div>
       <div class="from_name">
Анна
       </div>
       <div class="media_wrap clearfix">
        <a class="media clearfix pull_left block_link media_file" href="files/report.pdf">
         <div class="fill pull_left"></div>
         <div class="body"><div class="title bold">Отчёт за март.pdf</div><div class="status details">1.2 MB</div></div>
        </a>
       </div>
      </div>
     </div>
     <a class="pagination block_link" href="messages3.html">Next messages</a>
    </div>
   </div>
  </div>
 </body>
</html>
"""


def page(*posts: str, older: str = '<a href="/s/retail_news?before=101" class="tme_messages_more js-messages_more" data-before="101"></a>') -> str:  # fmt: skip
    """A preview page of the channel `retail_news`."""
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Новости розницы – Telegram</title>
<meta property="og:title" content="Новости розницы"></head><body class="widget_frame_base tgme_webpreview">
<header class="tgme_header"><div class="tgme_channel_info"><div class="tgme_channel_info_header">
<div class="tgme_channel_info_header_title_wrap"><div class="tgme_channel_info_header_title"><span dir="auto">Новости розницы</span></div></div>
<div class="tgme_channel_info_header_username"><a href="https://t.me/Retail_News">@Retail_News</a></div></div></div></header>
<main class="tgme_main" data-url="/Retail_News"><section class="tgme_channel_history js-message_history">
<div class="tme_messages_more_wrap js-messages_more_wrap">{older}</div>{"".join(posts)}</section></main></body></html>"""


def post(
    number: int, inner: str, *, at: str = "2026-03-03T07:00:00+00:00", classes: str = "", meta: str = ""
) -> str:
    """One post of it."""
    return f"""<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message text_not_supported_wrap js-widget_message {classes}" data-post="Retail_News/{number}" data-view="eyJj">
<div class="tgme_widget_message_user"><a href="https://t.me/Retail_News"><i class="tgme_widget_message_user_photo bgcolor0" data-content="Н"></i></a></div>
<div class="tgme_widget_message_bubble"><div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" href="https://t.me/Retail_News"><span dir="auto">Новости розницы</span></a></div>
{inner}
<div class="tgme_widget_message_footer compact js-message_footer"><div class="tgme_widget_message_info short js-message_info">
<span class="tgme_widget_message_views">12.3K</span><span class="copyonly"> views</span><span class="tgme_widget_message_meta">{meta}<a class="tgme_widget_message_date" href="https://t.me/Retail_News/{number}"><time datetime="{at}" class="time">10:00</time></a></span>
</div></div></div></div></div>"""


def text(words: str) -> str:
    """The text of a post."""
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>'
