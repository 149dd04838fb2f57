"""A talk over several servers: somebody publishes, some listen, and all of it is checked."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.servers.asking import Answer, Link
from tests.servers.shared.following import Follower
from tests.support.waiting import until
from wire.cursor import Cursor, parse_cursor


def _rank(cursor: Cursor) -> tuple[int, int]:
    return int(cursor.epoch), cursor.id


async def post_to(port: int, channel: str) -> Answer:
    """Publish one message on a connection of its own."""
    async with Link(port) as link:
        line = f"POST /publish?channel={channel}"
        link.ask(line, "Content-Type: text/plain", body=b"hola")
        return await link.answer()


class Talk:
    """Somebody publishes at servers in turn, and some listen; nothing that was accepted is lost."""

    def __init__(self, ports: Sequence[int], channel: str) -> None:
        self.accepted: list[str] = []
        self.refused: Counter[int] = Counter()
        self._ports, self._channel = ports, channel
        self.followers = [Follower([*ports[i % 2 :], *ports[: i % 2]], channel) for i in range(10)]
        self._talking = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        for follower in self.followers:  # who comes later is not owed what was said before
            await follower.is_here.wait()
        saying: set[asyncio.Task[None]] = set()
        number = 0
        try:
            while True:
                saying.add(asyncio.create_task(self._say(self._ports[number % len(self._ports)])))
                number += 1
                await asyncio.sleep(0.02)
        finally:
            await asyncio.gather(*saying)

    async def _say(self, port: int) -> None:
        try:
            answer = await post_to(port, self._channel)
        except (OSError, EOFError):  # whoever was asked was killed: it may be there, or not
            return
        if answer.status == 201:
            self.accepted.append(answer.json["cursor"])
        else:
            answer.check_problem(503, "shared log")
            assert answer.head.fields["retry-after"] == "1"
            self.refused[answer.status] += 1

    async def goes_on(self, more: int = 20) -> None:
        """Wait until so many more were accepted and came to all."""
        count = len(self.accepted) + more
        await until(lambda: len(self.accepted) >= count, "publishes are accepted")
        last = self.accepted[-1]

        def have_heard() -> bool:
            return all(last in map(str, follower.places[-200:]) for follower in self.followers)

        await until(have_heard, "all hear them")

    async def end(self) -> None:
        self._talking.cancel()
        await asyncio.gather(self._talking, return_exceptions=True)
        last = max(map(_rank, map(parse_cursor, self.accepted)))

        def have_heard() -> bool:
            return all(one.at is not None and _rank(one.at) >= last for one in self.followers)

        await until(have_heard, "all hear the last")
        for follower in self.followers:
            await follower.close()
            assert follower.faults == []
        assert len(set(self.accepted)) == len(self.accepted), "no cursor is given twice"

    def check_all_heard(self) -> None:
        """Check that nobody was told of a gap, or missed anything."""
        for follower in self.followers:
            assert follower.gaps == 0
            missed = set(self.accepted) - set(map(str, follower.places))
            assert not missed, f"accepted, and not heard by one: {sorted(missed)}"

    def check_all_told(self) -> None:
        """Check that everybody was told of the loss, and few more than once."""
        assert all(1 <= follower.gaps <= 2 for follower in self.followers)
