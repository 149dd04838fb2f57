from servers.app import Running
from tests.servers.asking import ask

FORM = "Content-Type: application/x-www-form-urlencoded"


async def test_the_frame_holds_the_messages_and_no_form(here: Running) -> None:
    here.service.channel("x").publish("hola", "ana")
    page = (await ask(here, "GET /frame_reload?channel=x&every=2")).body.decode()
    assert '<li value="1"' in page
    assert "<form" not in page
    assert 'content="2;url=/frame_reload?channel=x' in page


async def test_the_page_around_holds_both_frames_and_no_message(here: Running) -> None:
    here.service.channel("x").publish("hola", "ana")
    page = (await ask(here, "GET /frame_reload/frames?channel=x&every=5")).body.decode()
    assert 'src="/frame_reload?channel=x&amp;every=5"' in page
    assert 'src="/frame_reload/form?channel=x"' in page
    assert "hola" not in page
    page = (await ask(here, "GET /frame_reload/frames?name=ana")).body.decode()
    assert 'src="/frame_reload?channel=lobby&amp;name=ana&amp;every=2"' in page
    assert 'src="/frame_reload/form?channel=lobby&amp;name=ana"' in page


async def test_the_form_leads_back_to_the_form_s_frame(here: Running) -> None:
    page = (await ask(here, "GET /frame_reload/form?channel=x")).body.decode()
    assert '<form method="post" action="/frame_reload"' in page
    answer = await ask(here, "POST /frame_reload", FORM, body=b"channel=x&sender=ana&text=hola")
    assert answer.status == 303
    assert answer.head.fields["location"] == "/frame_reload/form?channel=x&name=ana"
    assert here.service.row("frame_reload").publishes == 1


async def test_a_frame_is_lighter_than_the_page(here: Running) -> None:
    frame = await ask(here, "GET /frame_reload?channel=x")
    page = await ask(here, "GET /page_reload?channel=x")
    assert len(frame.body) < len(page.body)
