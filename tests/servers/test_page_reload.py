from servers.app import Running
from tests.servers.asking import ask

FORM = "Content-Type: application/x-www-form-urlencoded"


async def test_the_page_is_whole_and_holds_the_messages(here: Running) -> None:
    here.service.channel("x").publish("hola", "ana")
    answer = await ask(here, "GET /page_reload?channel=x&name=eva")
    page = answer.body.decode()
    assert answer.head.fields["content-type"] == "text/html; charset=utf-8"
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert '<li value="1"' in page
    assert "hola" in page
    assert '<form method="post" action="/page_reload"' in page
    assert 'name="sender" value="eva"' in page
    assert "http-equiv" not in page


async def test_it_renews_itself_where_asked(here: Running) -> None:
    page = (await ask(here, "GET /page_reload?channel=x&every=2")).body.decode()
    cursor = here.service.channel("x").cursor()
    assert f'content="2;url=/page_reload?channel=x&amp;after={cursor}&amp;every=2"' in page


async def test_the_form_leads_back_to_the_page(here: Running) -> None:
    answer = await ask(
        here, "POST /page_reload", FORM, body=b"channel=x&sender=ana&text=hola&every=2"
    )
    assert answer.status == 303
    assert answer.head.fields["location"] == "/page_reload?channel=x&name=ana&every=2"
    assert here.service.channel("x").log.last == 1
    assert here.service.row("page_reload").publishes == 1


async def test_only_what_is_new_counts_as_delivered(here: Running) -> None:
    channel, row = here.service.channel("x"), here.service.row("page_reload")
    for _ in range(5):
        channel.publish("x")
    await ask(here, "GET /page_reload?channel=x")
    assert row.deliveries == 0
    await ask(here, f"GET /page_reload?channel=x&after={channel.cursor(3)}")
    assert row.deliveries == 2
