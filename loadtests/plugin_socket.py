"""Users with a plugin's raw TCP socket, on a port of its own (``--plugin-port``)."""

from loadtests.user import SubscriberUser


class PluginSocketUser(SubscriberUser):
    """Receives each message as it is published, with one byte around it."""

    technique = "plugin_socket"
