import inspect
import subprocess
import sys

import pytest

import clients
from clients.client import Client
from wire.techniques import SLUGS


@pytest.mark.parametrize("slug", SLUGS)
def test_every_technique_has_its_class_and_says_what_it_is(slug: str) -> None:
    found = clients.client_class(slug)
    assert issubclass(found, Client)
    assert not inspect.isabstract(found)
    assert found.technique == slug
    # A load test holds thousands: no client may carry a dictionary.
    assert not any("__dict__" in vars(each) for each in found.__mro__)


def test_what_does_not_exist() -> None:
    with pytest.raises(ValueError, match="web_socket"):
        clients.open("carrier_pigeon", "http://127.0.0.1:1")


def test_importing_the_room_loads_nothing_else() -> None:
    code = (
        "import sys, clients; print([m for m in sys.modules if m.startswith(('clients.','wire'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_no_event_loop_and_no_http_library() -> None:
    code = (
        "import sys, clients; from wire.techniques import SLUGS; "
        "[clients.client_class(slug) for slug in SLUGS]; "
        "print(sorted({'asyncio', 'aiohttp', 'http.client', 'gevent', 'ssl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]"
