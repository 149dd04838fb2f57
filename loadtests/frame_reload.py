"""Users who load one frame of a page again, every ``--poll-interval`` seconds."""

from loadtests.user import SubscriberUser


class FrameReloadUser(SubscriberUser):
    """Waits like a page reload, and downloads less."""

    technique = "frame_reload"
