"""Fetches an instance's metrics text over one connection that is kept alive."""

import asyncio
import contextlib
from typing import Final

import httptools

from chaoskit.address import Address

SCRAPE_TIMEOUT_S: Final = 1.0
LARGEST_BODY_BYTES: Final = 8 * 1024 * 1024
_READ_BYTES: Final = 65_536


class Scraper:
    """GETs one path of one address, again and again; not for concurrent use.

    A lean reader on httptools: it costs a fraction of a general HTTP client, beside a load that wants all cores.
    """

    def __init__(self, address: Address, path: str) -> None:
        self._address = address
        lines = (f"GET {path} HTTP/1.1", f"Host: {address}", "Accept: text/plain;version=0.0.4", "User-Agent: chaoskit")
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def scrape(self) -> str:
        """Return the metrics text.

        Raises:
            OSError: no whole 200 answer came within `SCRAPE_TIMEOUT_S`; the next scrape starts with a new connection.
        """
        try:
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                if self._streams:
                    with contextlib.suppress(ConnectionError):  # a server may close an idle connection: that is no gap
                        return await self._ask()
                    self.close()
                return await self._ask()
        except TimeoutError:
            self.close()
            message = f"no answer within {SCRAPE_TIMEOUT_S:g}s"
            raise TimeoutError(message) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next scrape opens a new one."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _ask(self) -> str:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(self._request)
        answer = _Answer()
        while not answer.complete:
            chunk = await reader.read(_READ_BYTES)
            if not chunk:
                if answer.ends_with_connection:
                    break
                message = "the connection ended before the answer did"
                raise ConnectionResetError(message)
            try:
                answer.parser.feed_data(chunk)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                message = f"the answer is not HTTP: {error}"
                raise OSError(message) from error
            if answer.size_bytes > LARGEST_BODY_BYTES:
                message = f"the answer is larger than {LARGEST_BODY_BYTES} bytes"
                raise OSError(message)
        if not answer.keeps_alive:
            self.close()
        if (status := answer.parser.get_status_code()) != 200:
            message = f"status {status}"
            raise OSError(message)
        return b"".join(answer.parts).decode(errors="replace")


class _Answer:
    """Collects the body of one answer; the callbacks of httptools."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []
        self.size_bytes = 0
        self.complete = False
        self.keeps_alive = False
        self.ends_with_connection = False
        self._length_known = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        self._length_known |= name.lower() in {b"content-length", b"transfer-encoding"}

    def on_headers_complete(self) -> None:
        self.ends_with_connection = not self._length_known

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)
        self.size_bytes += len(part)

    def on_message_complete(self) -> None:
        self.complete = True
        self.keeps_alive = self.parser.should_keep_alive()  # the parser knows only until it awaits the next answer
