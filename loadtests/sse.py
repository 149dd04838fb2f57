"""Users of Server-Sent Events: one answer that never ends."""

from loadtests.user import SubscriberUser


class SseUser(SubscriberUser):
    """Receives each message as it is published, as a text event."""

    technique = "sse"
