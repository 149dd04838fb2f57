"""Frame reload: the page stays, only the frame with the messages loads again (HTML 4.01, 16).

Frames were the first way to change a part of a page. The form sits in a frame of its own, so that
sending does not wipe out what others write, and reading does not wipe out what one is typing.
"""

from clients.errors import refused
from clients.kinds.reload_client import ReloadClient


class FrameReloadClient(ReloadClient):
    """Loads the page with both frames once, then the frame of messages every ``interval`` s."""

    __slots__ = ()
    technique = "frame_reload"
    path = "/frame_reload"

    def _open(self) -> None:
        if not self._reconnecting.was_open:
            for part in ("/frame_reload/frames", "/frame_reload/form"):
                answer = self._get(self.address.target(part, channel=self.channel))
                if answer.head.status != 200:
                    raise refused(answer.head, answer.body)
        super()._open()
