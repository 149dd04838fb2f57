"""Users who load the whole page again, every ``--poll-interval`` seconds."""

from loadtests.user import SubscriberUser


class PageReloadUser(SubscriberUser):
    """Waits half an interval for each message, and downloads everything around it."""

    technique = "page_reload"
