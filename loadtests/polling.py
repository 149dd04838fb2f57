"""Users who ask every ``--poll-interval`` seconds whether there is something new."""

from typing import Any

from loadtests.plan.options import Settings
from loadtests.user import SubscriberUser


class PollingUser(SubscriberUser):
    """Waits half an interval for each message; one answer brings all that came since."""

    technique = "polling"

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Add how often to ask."""
        return super().options(settings) | {
            "interval": settings.poll_interval,
            "keep_alive": settings.keep_alive,
        }
