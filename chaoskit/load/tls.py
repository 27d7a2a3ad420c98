"""TLS on the lean client's connections: the records of OpenSSL's in-memory engine over the same non-blocking socket."""

import errno
import ssl
from typing import Any, Final

from chaoskit.load.answer import ExchangeFailed
from chaoskit.load.connection import Connection, reason_of
from chaoskit.plan.tls import PlannedTls
from chaoskit.trust import tls_context

_MOST_BYTES: Final = 65_536  # read at once


class TlsSocket:
    """What `Connection` needs of a socket, with TLS on it; `recv` and `send` raise `BlockingIOError` as a socket's."""

    def __init__(self, raw: Any, context: ssl.SSLContext, server_name: str) -> None:  # noqa: ANN401 - an unpatched socket
        self._raw = raw
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        self._unsent = b""
        self._engine = context.wrap_bio(self._received, self._to_send, server_hostname=server_name)
        self.fileno = raw.fileno
        self.getsockopt = raw.getsockopt

    def shake_hands(self) -> bool:
        """Go on with the handshake as far as what was received allows; True once it is over.

        Raises:
            ssl.SSLError: it fails.
            OSError: the connection breaks.
        """
        try:
            self._engine.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        self._flush()
        return True

    def take(self) -> bool:
        """Read what has come, without looking into it; False where the other side has closed."""
        try:
            data = self._raw.recv(_MOST_BYTES)
        except BlockingIOError:
            return True
        if data:
            self._received.write(data)
        else:
            self._received.write_eof()
        return bool(data)

    def recv(self, _most: int) -> bytes:
        """Return all that has come, in the clear; empty where the other side has closed."""
        is_open = self.take()
        pieces: list[bytes] = []
        try:
            while piece := self._engine.read(_MOST_BYTES):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            if not pieces and is_open:
                raise BlockingIOError from None  # a part of a record, or a session ticket
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass
        except ssl.SSLError as error:
            raise ConnectionResetError(errno.ECONNRESET, "what came is no TLS") from error
        return b"".join(pieces)

    def send(self, data: bytes) -> int:
        """Send `data`, which is to be given again after `BlockingIOError` until it has gone as a whole."""
        if not self._unsent:
            self._engine.write(data)
        self._flush()
        if self._unsent:
            raise BlockingIOError
        return len(data)

    def close(self) -> None:
        """Close without a word: what waits for an answer has it, or wants none."""
        self._raw.close()

    def _flush(self) -> None:
        self._unsent += self._to_send.read()
        try:
            while self._unsent:
                self._unsent = self._unsent[self._raw.send(self._unsent) :]
        except BlockingIOError:
            return


class TlsConnection(Connection):
    """A connection with TLS; the handshake is part of connecting."""

    __slots__ = ("_context", "_tls")

    def __init__(self, tls: PlannedTls) -> None:
        super().__init__()
        self._tls = tls
        self._context = tls_context(tls.authorities, verify=tls.verify)

    def connect(self, family: int, address: tuple[Any, ...]) -> None:
        """Connect and shake hands, both within the time to connect.

        Raises:
            ExchangeFailed: as of `Connection`; also `bad_certificate`, and `bad_tls` where the other side speaks none.
        """
        super().connect(family, address)
        self._socket = socket = TlsSocket(self._socket, self._context, self._tls.server_name)
        try:
            while not socket.shake_hands():
                if self._wait_readable():
                    reason = "connect_timeout"
                    raise ExchangeFailed(reason)
                if not socket.take():
                    reason = "closed"
                    raise ExchangeFailed(reason)
        except ssl.SSLCertVerificationError as error:
            self._give_up("bad_certificate", error)
        except ssl.SSLError as error:
            self._give_up("bad_tls", error)
        except ExchangeFailed:
            self.close()
            raise
        except OSError as error:
            self._give_up(reason_of(error.errno), error)

    def _on_readable(self) -> None:
        if self.waiter is not None or self._listener is not None:
            super()._on_readable()
            return
        try:
            if not self._socket.recv(_MOST_BYTES):
                self.close()
        except BlockingIOError:
            pass  # a session ticket: the server is still there
        except OSError:
            self.close()

    def _give_up(self, reason: str, error: OSError) -> None:
        self.close()
        raise ExchangeFailed(reason) from error
