"""Users who load one frame of a page again, every ``--poll-interval`` seconds."""

from typing import Any

from loadtests.plan.options import Settings
from loadtests.user import SubscriberUser


class FrameReloadUser(SubscriberUser):
    """Waits like a page reload, and downloads less."""

    technique = "frame_reload"

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Add how often to reload."""
        return super().options(settings) | {
            "interval": settings.poll_interval,
            "keep_alive": settings.keep_alive,
        }
