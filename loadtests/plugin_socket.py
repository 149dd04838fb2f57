"""Users with a plugin's raw TCP socket, on a port of its own (``--plugin-port``)."""

from typing import Any

from loadtests.plan.options import Settings
from loadtests.user import SubscriberUser


class PluginSocketUser(SubscriberUser):
    """Receives each message as it is published, with one byte around it."""

    technique = "plugin_socket"

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Add where the plugin's port is, if not beside the page's."""
        return super().options(settings) | (
            {"plugin_port": settings.plugin_port} if settings.plugin_port else {}
        )
