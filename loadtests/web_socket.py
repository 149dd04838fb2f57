"""Users of WebSocket: one socket both ways."""

from loadtests.user import SubscriberUser


class WebSocketUser(SubscriberUser):
    """Receives each message as it is published, in a frame of its own."""

    technique = "web_socket"
