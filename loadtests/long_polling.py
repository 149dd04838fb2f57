"""Users whose request is held until there is something, ``--hold`` seconds at most."""

from typing import Any

from loadtests.plan.options import Settings
from loadtests.user import SubscriberUser


class LongPollingUser(SubscriberUser):
    """Receives a message at once unless it falls between two requests."""

    technique = "long_polling"

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Add how long a request may be held, and whether it forgets where it was."""
        return super().options(settings) | {
            "hold_s": settings.hold,
            "naive": not settings.cursor,
            "keep_alive": settings.keep_alive,
        }
