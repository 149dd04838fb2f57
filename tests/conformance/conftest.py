"""The one axis, the server that is tested, and what each test stands on.

``--url`` points the suite at a server that runs already; without it, each worker starts one.
"""

import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conformance.steps import MOST, ORIGIN, Desk, Starting
from tests.support.processes import QUIET, ServerAddress, ServerProcess, trust_everywhere
from wire.techniques import SLUGS

_MOST_PORT = 2**16 - 1


ELSEWHERE = pytest.StashKey[ServerAddress | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the address of a server that runs already."""
    add = parser.getgroup("conformance", "a server of your own").addoption
    add("--url", metavar="URL", help="test the server at http://HOST:PORT; nobody else may use it")
    add("--cafile", metavar="PEM", help="certificates of whom to trust, if that is https://")
    add("--plugin-port", type=int, metavar="N", help="its plugin socket (default: port + 1)")
    add(
        "--without",
        nargs="+",
        action="extend",
        choices=SLUGS,
        default=[],
        metavar="SLUG",
        help=f"techniques that it has not: {' '.join(SLUGS)}",
    )
    add(
        "--sparse", action="store_true", help="each test by one technique only, all of them in turn"
    )


def _elsewhere(config: pytest.Config) -> ServerAddress | None:
    """Read the options; :class:`pytest.UsageError` says what is wrong with them."""
    # They are unknown where pytest was not pointed at this folder.
    url = config.getoption("--url", None)
    plugin_port = config.getoption("--plugin-port", None)
    without = config.getoption("--without", [])
    cafile = config.getoption("--cafile", None)
    if url is None:
        if plugin_port is not None or without or cafile:
            raise pytest.UsageError(
                "--plugin-port, --without and --cafile say more of a server at --url"
            )
        return None
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https")
        is_address = is_web and parts.hostname and parts.path in ("", "/")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        is_address, port = False, 0
    if not is_address:
        raise pytest.UsageError(
            f"--url {url}: accepted is http://HOST:PORT or https://, as the server says it"
        )
    if plugin_port is None:
        plugin_port = port + 1
    if not 0 < plugin_port <= _MOST_PORT:
        raise pytest.UsageError(f"--plugin-port {plugin_port}: accepted is 1 to {_MOST_PORT}")
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError("--url: what one server counts is read, so test it without -n")
    if cafile:
        trust_everywhere(cafile)
    return ServerAddress(url, plugin_port, without, cafile)


def _given(config: pytest.Config) -> ServerAddress | None:
    if ELSEWHERE not in config.stash:
        config.stash[ELSEWHERE] = _elsewhere(config)
    return config.stash[ELSEWHERE]


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say whom the tests are about to ask."""
    given = _given(config)
    if given is None:
        return None
    return f"conformance of {given.url}, plugin socket on port {given.plugin_port}"


@pytest.hookimpl(trylast=True)  # when those that are left out are gone
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, with words, what the server at ``--url`` has not."""
    given = _given(config)
    if config.getoption("--sparse", False):
        _thin_out(config, items, given.without if given else ())
    if given is None:
        return
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent == Path(__file__).parent:
            asked = item.callspec.params if hasattr(item, "callspec") else {}
            for slug in sorted(given.without & {asked.get("technique"), asked.get("slug")}):
                item.add_marker(pytest.mark.skip(f"--without {slug}"))


def _thin_out(
    config: pytest.Config, items: list[pytest.Item], without: Collection[str] = ()
) -> None:
    """Leave each test with one of its techniques: each test meets this server, and each technique.

    Where all tests meet all techniques on another server, those are all pairs of the three. Which
    of them meet differs between servers, and is the same each time.
    """
    by_test: dict[str, dict[str, list[pytest.Item]]] = {}
    for item in items:
        asked = item.callspec.params if hasattr(item, "callspec") else {}
        slug = asked.get("technique", asked.get("slug", ""))
        if slug not in without:
            by_slug = by_test.setdefault(item.nodeid.partition("[")[0], {})
            by_slug.setdefault(slug, []).append(item)
    words = f"{config.getoption('servers')} {config.getoption('server_options')}"
    first = zlib.crc32(words.encode())
    chosen = [
        item
        for turn, (_, by_slug) in enumerate(sorted(by_test.items()), first)
        for item in list(by_slug.values())[turn % len(by_slug)]
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.fixture(params=SLUGS)
def technique(request: pytest.FixtureRequest) -> str:
    """Return one of the techniques."""
    slug: str = request.param
    return slug


@pytest.fixture(scope="session")
def starting(request: pytest.FixtureRequest) -> Starting:
    """Start servers with options of one's own; a server that runs already cannot be started so."""
    given = _given(request.config)

    @contextmanager
    def start(*options: str) -> Iterator[ServerProcess]:
        if given is not None:
            words = " ".join(options) or "no options"
            pytest.skip(f"needs a server that the test starts, with {words}; --url gives another")
        server = ServerProcess(*options)
        try:
            yield server
        finally:
            server.stop()

    return start


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[ServerAddress]:
    """Stand for the server that is tested: the one at ``--url``, else one for all tests."""
    given = _given(request.config)
    if given is not None:
        yield given
        return
    server = ServerProcess(*QUIET)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def optioned(starting: Starting) -> Iterator[ServerProcess]:
    """Run a server with options that leave each other alone: it answers, and has other limits."""
    with starting("--answers", "--max-message", str(MOST), "--allow-origin", ORIGIN) as server:
        yield server


@pytest.fixture
def one_clock(server: ServerAddress) -> None:
    """Let only those go on whose host's clock is the server's."""
    if isinstance(server, ServerProcess) or server.host == "localhost":
        return
    try:
        is_here = ip_address(server.host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        pytest.skip(f"compares with this host's clock, and {server.host} may be another")


@pytest.fixture
def desk(server: ServerAddress) -> Iterator[Desk]:
    """Stand at the server with a kept connection of one's own."""
    desk = Desk(server)
    yield desk
    desk.close()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients reconnect at once: how long they wait is tested with them."""
    monkeypatch.setattr("clients.net.reconnecting.delay_s", lambda *_: 0.0)
