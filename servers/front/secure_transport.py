"""A transport that has OpenSSL write to the socket: TLS without buffers in between.

The event loops put TLS between two buffers in memory. There each message is taken in, encrypted,
taken out again and queued a second time, by code that costs more than the encryption, and every
connection keeps its buffers. Here one call encrypts and sends. What the kernel does not take
waits, still unencrypted, so a message that waits for a thousand readers is there once.

The loop must be able to watch a socket (all can, but for the proactor loop of Windows).
"""

import asyncio
import ssl
from collections import deque
from typing import Any, cast

_HIGH = 64 * 2**10
_LOW = 16 * 2**10
_RECORD = 2**14  # bytes of application data at most (RFC 8446, 5.1)
_RECORDS_AT_ONCE = 16
_GOODBYE_SECONDS = 30.0  # as in asyncio: to take what is left, and to say good-bye


class SecureTransport(asyncio.Transport):
    """Carries ``protocol`` over ``sock``, whose handshake is over and which does not block.

    Calls ``connection_made`` at once. Raises :class:`OSError` where the peer has left already.
    TLS has no half-close here: when the peer has ended its side, what waits is still sent, and
    then the connection ends, whatever ``eof_received`` returns.
    """

    __slots__ = (
        "_addresses",
        "_goodbye",
        "_has_ended",
        "_is_closing",
        "_is_full",
        "_is_lost",
        "_is_paused",
        "_limits",
        "_loop",
        "_protocol",
        "_send",
        "_size",
        "_sock",
        "_waiting",
    )

    def __init__(self, sock: ssl.SSLSocket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        # What sock.send() calls, after as much work again in Python for what is the case here.
        self._send = sock._sslobj.write  # type: ignore[attr-defined]
        self._addresses = {"sockname": sock.getsockname(), "peername": sock.getpeername()}
        self._protocol = cast(asyncio.Protocol, protocol)
        self._limits = _LOW, _HIGH
        self._waiting: deque[bytes] | None = None  # made where it is needed
        self._size = 0
        self._is_full = self._is_paused = self._is_closing = self._is_lost = False
        self._has_ended = False  # the peer, which sends no more
        self._goodbye: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock, self._read)
        try:
            self._protocol.connection_made(self)
        except BaseException:
            self._lose(None)
            raise

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the ``socket``, ``sslcontext``, ``sockname`` or ``peername``."""
        if name == "socket":
            return self._sock
        if name == "sslcontext":
            return self._sock.context
        return self._addresses.get(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return what hears of the connection."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have ``protocol`` hear of what comes from now on."""
        self._protocol = cast(asyncio.Protocol, protocol)

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Send ``data``, in records of its own, or keep what the kernel does not take."""
        if self._waiting is None and data and not self._is_closing:
            try:
                self._send(data)
            except ssl.SSLWantWriteError:
                self._waiting = deque()
                self._loop.add_writer(self._sock, self._drain)
            except OSError as error:
                self._lose(error)
            else:
                return
        if self._waiting is not None and data and not self._is_closing:
            self._waiting.append(bytes(data))
            self._size += len(data)
            if self._size > self._limits[1] and not self._is_full:
                self._is_full = True
                self._protocol.pause_writing()

    def _drain(self) -> None:
        """Send what waits, as far as the kernel takes it."""
        try:
            while self._waiting:
                # OpenSSL may have sent some records of it, and wants to see the same bytes again.
                self._send(self._waiting[0])
                self._size -= len(self._waiting.popleft())
        except ssl.SSLWantWriteError:
            pass
        except OSError as error:
            self._lose(error)
            return
        else:
            self._waiting = None
            self._loop.remove_writer(self._sock)
        if self._is_full and self._size <= self._limits[0]:
            self._is_full = False
            self._protocol.resume_writing()
        if self._waiting is None and self._is_closing:
            self._part()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Call the buffer full above ``high`` bytes, and not any more from ``low`` down.

        Raises :class:`ValueError` unless ``high >= low >= 0``.
        """
        high = high if high is not None else _HIGH if low is None else 4 * low
        low = low if low is not None else high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high}) must be at least low ({low}), and that at least 0")
        self._limits = low, high

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return from where on, in bytes, the buffer is not full any more, and is full."""
        return self._limits

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait. Of one that is sent in part, all count."""
        return self._size

    def can_write_eof(self) -> bool:
        """No: what is said after it could not be told from a cut."""
        return False

    def is_reading(self) -> bool:
        """Whether what comes is read."""
        return not (self._is_paused or self._is_closing)

    def pause_reading(self) -> None:
        """Let what comes wait in the kernel."""
        if self.is_reading():
            self._is_paused = True
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        """Read on."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._loop.add_reader(self._sock, self._read)

    def _receive(self) -> tuple[bytes, OSError | None]:
        """Return what has come, and what went wrong after it."""
        records: list[bytes] = []
        try:
            while len(records) < _RECORDS_AT_ONCE:
                data = self._sock.recv(_RECORD)
                if not data:
                    self._has_ended = True
                    break
                records.append(data)
        except ssl.SSLWantReadError:
            pass
        except OSError as error:
            return b"".join(records), error
        return b"".join(records), None

    def _read(self) -> None:
        data, error = self._receive()
        try:
            if data:
                self._protocol.data_received(data)
            if self._has_ended and not self._is_closing:
                self._protocol.eof_received()
        except BaseException:
            self._lose(None)
            raise
        if error is not None:
            self._lose(error)
        elif self._has_ended and self._is_closing and self._waiting is None:
            self._lose(None)  # its good-bye, after ours
        elif self._has_ended:
            self._loop.remove_reader(self._sock)
            self.close()

    def is_closing(self) -> bool:
        """Whether the connection has ended or soon will."""
        return self._is_closing

    def close(self) -> None:
        """Send what waits, say good-bye and wait for the peer's, then close."""
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.remove_reader(self._sock)
        self._goodbye = self._loop.call_later(_GOODBYE_SECONDS, self._lose, None)
        if self._waiting is None:
            self._part()

    def _part(self) -> None:
        """Say good-bye. To close before the peer's came might destroy what is on its way to it."""
        if self._is_lost:
            return
        try:
            self._sock.unwrap()
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._sock, self._part)
            return
        except ssl.SSLError:  # the peer's good-bye has not come, or comes behind something else
            if not self._has_ended:
                self._loop.remove_writer(self._sock)
                self._loop.add_reader(self._sock, self._await_goodbye)
                return
        except (OSError, ValueError):  # it has gone; the latter is said where it was never there
            pass
        self._lose(None)

    def _await_goodbye(self) -> None:
        _, error = self._receive()
        if self._has_ended or error is not None:
            self._lose(None)

    def abort(self) -> None:
        """Close at once, without what waits."""
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if self._is_lost:
            return
        self._is_lost = self._is_closing = True
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        if self._goodbye is not None:
            self._goodbye.cancel()
        self._waiting, self._size = None, 0
        self._loop.call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._sock.close()
