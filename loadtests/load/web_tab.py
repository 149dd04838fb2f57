"""Our tab in Locust's web UI, and a page with live charts.

Locust's interface takes additional tables by name (``extended_tabs``, ``extended_tables``) and
their rows with the answer that it polls anyway (``extended_stats``). A number in its form that
cannot be measured is refused before the test starts.
"""

import socket
import sys
from argparse import Namespace
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, jsonify, request
from locust.env import Environment
from locust.web import WebUI

from loadtests.load import metrics
from loadtests.load.conductor import conductor_of
from loadtests.load.live import LiveView
from loadtests.plan.options import complaint
from results.figures.palette import color
from wire.techniques import BY_SLUG

KEY = "duplex"
COLUMNS = {
    "name": "Technique",
    "users": "Users",
    "deliveries": "Deliveries",
    "p50": "p50 (ms)",
    "p90": "p90 (ms)",
    "p99": "p99 (ms)",
    "max": "Max (ms)",
    "lost": "Lost",
    "bytes": "Bytes per message",
    "open": "Open connections",
    "requests": "Requests/s",
    "verdict": "Verdict (last seconds)",
}
_USERS = 40
_LINK = (
    '<a href="./duplex" style="position:fixed;left:1rem;bottom:1rem;padding:.5rem 1rem;'
    'background:#0b5394;color:#fff;border-radius:.4rem;font:1rem system-ui">Live charts</a></body>'
)


def attach(environment: Environment, **_: object) -> None:
    """Add tab and page to the web UI, where there is one; a listener of Locust's ``init``."""
    web_ui, conductor = environment.web_ui, conductor_of(environment)
    if web_ui is None or web_ui.app is None or conductor is None:
        return
    _check_port(web_ui)
    _fill_in(environment.parsed_options)
    view = LiveView(conductor)
    structure = [{"key": key, "title": title} for key, title in COLUMNS.items()]
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Duplex", "key": KEY}],
        "extended_tables": [{"key": KEY, "structure": structure}],
    }
    pages = Blueprint("duplex", __name__)

    def charts() -> Response:
        page = files("loadtests.load").joinpath("live.html").read_text(encoding="utf-8")
        return Response(page, content_type="text/html; charset=utf-8")

    def data() -> Response:
        curves = {
            slug: {"title": BY_SLUG[slug].title, "color": color(slug)}
            | {name: list(values) for name, values in vars(curve).items()}
            for slug, curve in view.curves.items()
        }
        return jsonify(rows=view.rows(), curves=curves)

    def extend(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            report: dict[str, Any] = response.get_json()
            report["extended_stats"] = [{"key": KEY, "data": view.rows()}]
            response.set_data(jsonify(report).get_data())
        elif request.path == "/" and response.content_type.startswith("text/html"):
            response.set_data(response.get_data(as_text=True).replace("</body>", _LINK))
        return response

    def refuse() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        wrong = complaint(request.form)
        return jsonify(success=False, message=wrong, host=environment.host) if wrong else None

    def told() -> Response:
        return metrics.response(conductor)

    for path, page in (("/duplex", charts), ("/duplex/data", data), ("/duplex/metrics", told)):
        pages.add_url_rule(path, view_func=web_ui.auth_required_if_enabled(page))
    web_ui.app.before_request(refuse)
    web_ui.app.after_request(extend)
    web_ui.app.register_blueprint(pages)


def _fill_in(options: Namespace | None) -> None:
    """Offer as many users as ``compare`` has, who come at once, where the form would show one."""
    if options is not None and options.num_users is None and options.spawn_rate is None:
        options.num_users, options.spawn_rate = _USERS, float(_USERS)


def _check_port(web_ui: WebUI) -> None:
    # Locust would end with a traceback and a table of nothing.
    try:
        socket.create_server((web_ui.host, web_ui.port)).close()
    except OSError as error:
        sys.exit(
            f"Locust's web page cannot listen on port {web_ui.port}: {error.strerror}. "
            "Choose another by --web-port, or end what listens there."
        )
