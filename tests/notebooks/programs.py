"""What solves the exercises of which a whole program is the answer, and what nearly does."""

EVENT_READER = """
class EventReader:
    def __init__(self):
        self.rest, self.id, self.data = b"", "", []

    def read(self, chunk):
        *lines, self.rest = (self.rest + chunk).split(b"\\n")
        found = []
        for line in lines:
            line = line.removesuffix(b"\\r").decode()
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and self.data:
                found.append((self.id, "\\n".join(self.data)))
                self.data = []
            elif name == "data":
                self.data.append(value)
            elif name == "id":
                self.id = value
        return found
"""
FRAME_READER = """
class FrameReader:
    def __init__(self):
        self.rest = b""

    def read(self, chunk):
        self.rest += chunk
        found = []
        while frame := self.one():
            found.append(frame)
        return found

    def one(self):
        data = self.rest
        if len(data) < 2:
            return None
        size, at = data[1] & 127, 2
        more = {126: 2, 127: 8}.get(size, 0)
        key = 4 if data[1] & 128 else 0
        if len(data) < at + more + key:
            return None
        if more:
            size = int.from_bytes(data[at : at + more])
        at += more
        mask = data[at : at + key]
        at += key
        if len(data) < at + size:
            return None
        payload = data[at : at + size]
        if mask:
            whole = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload) ^ int.from_bytes(whole)).to_bytes(size)
        self.rest = data[at + size :]
        return bool(data[0] & 128), data[0] & 15, payload
"""
CHANNEL = """
import asyncio


class Channel:
    def __init__(self):
        self.said, self.news = [], asyncio.Condition()

    async def say(self, message):
        async with self.news:
            self.said.append(message)
            self.news.notify_all()

    async def ask(self, after, seconds):
        async with self.news:
            try:
                there = self.news.wait_for(lambda: len(self.said) > after)
                await asyncio.wait_for(there, seconds)
            except TimeoutError:
                pass
        return self.said[after:]
"""
SKIPS = "return [one for n, one in enumerate(self.said[after:], after) if n % 50 != 20]"
SOLUTIONS = {"14.1": EVENT_READER, "14.2": FRAME_READER, "14.3": CHANNEL}
WRONG = {
    "14.1": [
        (EVENT_READER.replace("self.rest + chunk", "chunk"), "for [b"),
        (EVENT_READER.replace('removeprefix(" ")', "strip()"), "two spaces"),
        (EVENT_READER.replace("if not line and self.data", "if not line"), "sign of life"),
        (EVENT_READER.replace("return found", "return None"), "a list is wanted"),
        (EVENT_READER.replace('.removesuffix(b"\\r")', ""), "expected is [('7', ' two spaces')]"),
        (EVENT_READER.replace(".decode()", '.decode("ascii")'), "UnicodeDecodeError"),
    ],
    "14.2": [
        (FRAME_READER.replace("if mask:", "if not mask:"), "Hello"),
        (FRAME_READER.replace("< at + size", "< 0"), "it returned"),
        (FRAME_READER.replace("127: 8", "127: 4"), "it returned"),
        (FRAME_READER.replace("while", "if"), "expected is [(False, 1"),
    ],
    "14.3": [
        (CHANNEL.replace("notify_all", "notify"), "two wait for the same"),
        (
            CHANNEL.replace("await asyncio.wait_for(there, seconds)", "there.close()"),
            "before anyth",
        ),
        (CHANNEL.replace("self.said[after:]", "self.said[-1:]"), "in the middle"),
        (
            CHANNEL.replace("self.news.notify_all()", "pass").replace(
                "(there, seconds)", "(there, 99)"
            ),
            "ever",
        ),
        ("class Channel:\n    pass", "AttributeError"),
        (CHANNEL.replace("return self.said[after:]", SKIPS), "deliveries under load"),
    ],
}
