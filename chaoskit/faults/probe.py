"""One probe of a link: connect, ask, read, on a connection of its own."""

import asyncio
from time import monotonic
from typing import Final

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.faults.contract import Inquiry
from chaoskit.faults.questions import Exchange, exchange_for
from chaoskit.plan.model import PlannedLink
from chaoskit.records import ProbeOutcome, ProbeSample
from chaoskit.trust import tls_context

READ_BYTES: Final = 65536


class LinkProbe:
    """One probe of `address`, made by `run`; `cut` ends it early.

    In its sample `first_byte_ms` counts from the sending, `total_ms` from the start of the connect to the last byte
    (without a whole answer: to the end), `close_ms` from the last byte to the end of the connection.
    """

    def __init__(self, link: PlannedLink, address: Address, inquiry: Inquiry, clock: Clock) -> None:
        self.link = link.name
        self._address = address
        self._tls = link.tls
        self._exchange = exchange_for(link.probe, inquiry.question, link.host or address.host)
        self._bound_s = inquiry.bound_s
        self._clock = clock
        self._limit: asyncio.Timeout | None = None
        self._begun = self._sent = self._last_byte = 0.0
        self._connect_ms: float | None = None
        self._first_byte_ms: float | None = None
        self._total_ms: float | None = None
        self._close_ms: float | None = None
        self._answer_bytes = 0
        self._reads = 0

    async def run(self) -> ProbeSample:
        """Probe once and return what happened, within the inquiry's bound."""
        started_s = self._clock.now_s()
        self._begun = monotonic()
        outcome: ProbeOutcome
        try:
            async with asyncio.timeout(self._bound_s) as self._limit:
                outcome = await self._converse()
        except TimeoutError:
            outcome = "timeout"
        except ConnectionRefusedError:
            outcome = "refused"
        except (ConnectionResetError, BrokenPipeError):
            outcome = "reset"
        except OSError:
            outcome = "closed"
        finally:
            self._limit = None
        return ProbeSample(
            started_s,
            self.link,
            outcome if self._total_ms is None or outcome == "wrong_answer" else "ok",
            connect_ms=self._connect_ms,
            first_byte_ms=self._first_byte_ms,
            total_ms=_since_ms(self._begun) if self._total_ms is None else self._total_ms,
            answer_bytes=self._answer_bytes,
            reads=self._reads,
            close_ms=self._close_ms,
        )

    def cut(self) -> None:
        """End the probe now, as the time-out that it is; one that has not begun or has ended is left alone."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _converse(self) -> ProbeOutcome:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        self._connect_ms = _since_ms(self._begun)
        if self._tls is not None:
            context = tls_context(self._tls.authorities, verify=self._tls.verify)
            await writer.start_tls(context, server_hostname=self._tls.server_name)
        exchange = self._exchange
        try:
            if exchange is None:
                return "ok"
            outcome: ProbeOutcome = "ok"
            for _ in range(exchange.rounds):
                self._sent = monotonic()
                writer.write(exchange.send)
                await writer.drain()
                outcome = await self._read_answer(reader, exchange)
                if outcome != "ok" or self._answer_bytes >= exchange.enough_bytes:
                    break
            if outcome == "ok":
                self._total_ms = (self._last_byte - self._begun) * 1000
                if exchange.await_close:
                    await self._await_close(reader, writer, exchange)
            return outcome
        finally:
            writer.transport.abort()

    async def _read_answer(self, reader: asyncio.StreamReader, exchange: Exchange) -> ProbeOutcome:
        answer = b""
        while not exchange.whole(answer):
            chunk = await reader.read(READ_BYTES)
            if not chunk:
                # an HTTP answer that does not tell its length ends with the connection
                unbounded = exchange.ends and b"\r\n\r\n" in answer and b"content-length" not in answer.lower()
                return "ok" if unbounded and exchange.valid(answer) else "closed"
            self._last_byte = monotonic()
            if self._first_byte_ms is None:
                self._first_byte_ms = (self._last_byte - self._sent) * 1000
            self._reads += 1
            self._answer_bytes += len(chunk)
            answer += chunk
        return "ok" if exchange.valid(answer) else "wrong_answer"

    async def _await_close(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exchange: Exchange
    ) -> None:
        if exchange.half_close:
            writer.write_eof()
        while await reader.read(READ_BYTES):
            pass
        self._close_ms = _since_ms(self._last_byte)


def _since_ms(moment: float) -> float:
    return (monotonic() - moment) * 1000
