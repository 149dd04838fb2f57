"""Users who ask every ``--poll-interval`` seconds whether there is something new."""

from loadtests.user import SubscriberUser


class PollingUser(SubscriberUser):
    """Waits half an interval for each message; one answer brings all that came since."""

    technique = "polling"
