import inspect

from wire import errors


def test_one_root_for_all_that_received_bytes_can_do_wrong() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) == 7
    assert all(issubclass(kind, errors.WireError) for kind in classes)
    assert not issubclass(errors.WireError, ValueError)  # those are the caller's own mistakes


def test_the_tree_in_the_docstring_names_every_error() -> None:
    for name, _ in inspect.getmembers(errors, inspect.isclass):
        assert name in (errors.__doc__ or "")


def test_a_web_socket_error_carries_the_close_code() -> None:
    error = errors.WebSocketError(1002, "a reserved bit is set")
    assert (error.code, error.reason) == (1002, "a reserved bit is set")
    assert str(error) == "1002: a reserved bit is set"


def test_a_handshake_error_carries_the_status() -> None:
    error = errors.HandshakeError(426, "upgrade, please")
    assert (error.status, error.reason, str(error)) == (426, "upgrade, please", "upgrade, please")
