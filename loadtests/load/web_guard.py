"""Who may use Locust's page: its own pages and programs, no page of another site.

Locust asks nobody: a form on any page open in the same browser could start a load, choose whom it
hits, and which files it overwrites (cross-site request forgery); a page whose name was rebound to
this machine could read the statistics. So here everything that Locust's page serves is held to what
our own servers hold theirs to, and where files go is the command line's alone.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from servers.front.hosts import Hosts

if TYPE_CHECKING:
    from locust.env import Environment

# What the form of Locust's page sends beside the options that are shown there.
_FORM = {"user_count", "spawn_rate", "host", "run_time", "user_classes", "shape_class", "profile"}
_HEADERS = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def attach(environment: "Environment", **_: object) -> None:
    """Guard the web UI, where there is one; a listener of Locust's ``init``."""
    from locust.argument_parser import ui_extra_args_dict  # it patches whatever process imports it

    web_ui = environment.web_ui
    if web_ui is not None and web_ui.app is not None:
        guard(web_ui.app, Hosts([web_ui.host]), _FORM | ui_extra_args_dict().keys())


def guard(app: Flask, hosts: Hosts, fields: set[str]) -> None:
    """Let ``app`` answer what comes by ``hosts``, and forms that have none but ``fields``."""

    def refuse() -> Response | None:
        why = foreign(dict(request.headers), hosts)
        if not why and request.path.endswith("/swarm"):
            unknown = sorted(request.form.keys() - fields)
            why = f"{', '.join(unknown)}: only the command line may set that" if unknown else ""
        if not why:
            return None
        answer = jsonify(success=False, message=why)
        answer.status_code = 403
        return answer

    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    app.before_request(refuse)
    app.after_request(harden)


def foreign(headers: Mapping[str, str], hosts: Hosts) -> str:
    """Say what shows that a page of another site asks; nothing where none does.

    Browsers say ``Origin`` with whatever can change something, newer ones ``Sec-Fetch-Site`` with
    everything, and all of them by which name they came.
    """
    host = headers.get("Host", "")
    if not hosts.accepts(host):
        return f"this page has no name {host[:100]!r}; use its address, or localhost"
    origin = headers.get("Origin")
    if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
        return f"pages of {origin[:100]!r} may not use Locust's page"
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return "pages of other sites may not use Locust's page; open its address by hand"
    return ""
