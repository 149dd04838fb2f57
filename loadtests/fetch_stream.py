"""Users of fetch streaming: one answer, read while it comes."""

from loadtests.user import SubscriberUser


class FetchStreamUser(SubscriberUser):
    """Receives each message as it is published, as a line of JSON."""

    technique = "fetch_stream"
