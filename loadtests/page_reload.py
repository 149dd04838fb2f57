"""Users who load the whole page again, every ``--poll-interval`` seconds."""

from typing import Any

from loadtests.plan.options import Settings
from loadtests.user import SubscriberUser


class PageReloadUser(SubscriberUser):
    """Waits half an interval for each message, and downloads everything around it."""

    technique = "page_reload"

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Add how often to reload."""
        return super().options(settings) | {
            "interval": settings.poll_interval,
            "keep_alive": settings.keep_alive,
        }
