"""Users who load a page that never ends, one script for each message."""

from loadtests.user import SubscriberUser


class ForeverFrameUser(SubscriberUser):
    """Receives each message as it is published, inside a ``<script>``."""

    technique = "forever_frame"
