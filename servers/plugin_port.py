"""The port of the plugin socket: who gets in."""

import asyncio

from servers.handover import FULL, Refusal
from servers.plugin_socket import PluginSocket
from servers.service import Service
from wire.json_lines import encode_line
from wire.message import dump_json


def protocol(service: Service) -> asyncio.Protocol:
    """Make the protocol of one connection, or of its refusal where descriptors have run out."""
    if service.ledger.sockets >= service.settings.most_sockets:
        problem = encode_line(dump_json({"problem": FULL.members()}))
        return Refusal(service.ledger, problem)
    return PluginSocket(service)
