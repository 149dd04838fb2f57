"""Users whose request is held until there is something, ``--hold`` seconds at most."""

from loadtests.user import SubscriberUser


class LongPollingUser(SubscriberUser):
    """Receives a message at once unless it falls between two requests."""

    technique = "long_polling"
