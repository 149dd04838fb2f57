from servers.service import Settings, make_service
from wire.techniques import SLUGS


async def test_settings_reach_what_they_are_for() -> None:
    service = make_service(
        Settings(log_messages=3, log_bytes=100, heartbeat=7, allowed_origins=frozenset({"*"}))
    )
    channel = service.channel("lobby")
    for _ in range(5):
        channel.publish("x")
    assert channel.log.first > 2
    assert service.liveness.heartbeat == 7
    assert service.guard.check({"origin": "http://x.example", "host": "here"}) is not None


async def test_services_share_nothing() -> None:
    one, two = make_service(Settings()), make_service(Settings())
    one.channel("lobby").publish("x")
    one.row("sse").open += 1
    assert two.channel("lobby").log.last == 0
    assert two.row("sse").open == 0


def test_by_default_all_techniques_are_served() -> None:
    assert Settings().techniques == SLUGS
