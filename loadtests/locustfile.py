"""Plain Locust: ``locust -f loadtests/locustfile.py SseUser --host http://127.0.0.1:8000``.

All eight users, our options, and the conductor that publishes to them. From the web UI too: pick
users with ``--class-picker``, fill the host field, and see the tab "Duplex".

``locust -f loadtests/locustfile.py --help`` shows our options last, under "Duplex";
``python -m loadtests options`` shows them alone.
"""

from locust import events

from clients.net import arrival
from loadtests.forever_frame import ForeverFrameUser
from loadtests.frame_reload import FrameReloadUser
from loadtests.load import conductor, recorder, shapes, web_tab
from loadtests.long_polling import LongPollingUser
from loadtests.page_reload import PageReloadUser
from loadtests.plan import options
from loadtests.plugin_socket import PluginSocketUser
from loadtests.polling import PollingUser
from loadtests.sse import SseUser
from loadtests.web_socket import WebSocketUser

__all__ = [
    "ForeverFrameUser",
    "FrameReloadUser",
    "LongPollingUser",
    "PageReloadUser",
    "PluginSocketUser",
    "PollingUser",
    "SseUser",
    "WebSocketUser",
]

# A message has arrived when it came in, not when its turn among a thousand others came.
arrival.use_kernel_clock()
events.init_command_line_parser.add_listener(options.add_options)
events.init.add_listener(conductor.attach)
events.init.add_listener(web_tab.attach)
events.init.add_listener(shapes.attach)
events.quitting.add_listener(recorder.record)
