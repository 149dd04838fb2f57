"""The techniques on one channel, over aiohttp.

Rules of this room:

* asyncio and aiohttp; of our own rooms it imports :mod:`wire` only;
* one file per technique, named by its slug, holds what that technique *is*; the channel
  (:mod:`servers.channels.channel`) does not know any of them;
* a message is encoded once per technique and the same bytes go to every subscriber; nothing
  waits for one subscriber inside a loop over all;
* aiohttp accepts, parses, routes and checks the first request of a connection; what stays open
  is then handed over to a slim protocol (:mod:`servers.front.handover`);
* servers bind to loopback unless asked.

``python -m servers --help`` starts them.
"""

import outside_venv  # noqa: F401 - it explains what is missing there
