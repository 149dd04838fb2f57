"""Plain Locust: ``locust -f loadtests/locustfile.py SseUser --host http://127.0.0.1:8000``.

The users of all techniques, our options, and the conductor that publishes to them. From the web UI
too: pick users with ``--class-picker``, fill the host field, and see the tab "Duplex".

``locust -f loadtests/locustfile.py --help`` shows our options last, under "Duplex";
``python -m loadtests options`` shows them alone.
"""

from importlib import import_module

from locust import events

from clients.net import arrival
from loadtests.load import closing, conductor, metrics, recorder, shapes, web_guard, web_tab
from loadtests.plan import options
from wire.techniques import TECHNIQUES

# Locust takes for users what stands in this module: SseUser of loadtests.sse, and so on.
for technique in TECHNIQUES:
    name = f"{technique.class_stem}User"
    globals()[name] = getattr(import_module(f"loadtests.{technique.slug}"), name)

# A message has arrived when it came in, not when its turn among a thousand others came.
arrival.use_kernel_clock()
events.init_command_line_parser.add_listener(options.add_options)
events.init.add_listener(conductor.attach)
events.init.add_listener(web_guard.attach)
events.init.add_listener(web_tab.attach)
events.init.add_listener(shapes.attach)
events.init.add_listener(metrics.attach)
events.init.add_listener(closing.attach)
events.quitting.add_listener(recorder.record)
