"""Signed calls: orders go to the engine, positions and balances come from the region's database."""

from time import monotonic
from typing import Any

from service.wall import wall_us
from service.workers import Workers

from exchange.failures import Refusal
from exchange.gateway.account_bodies import COMPLETE_TO_US, account_information, position_risk
from exchange.gateway.call import (
    Call,
    optional_symbol,
    order_reference,
    order_terms,
    symbol_of,
    transfer_amount,
    whole_number,
)
from exchange.gateway.conditional_terms import conditional_reference, conditional_terms
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.market import Market
from exchange.gateway.pool import Pool
from exchange.gateway.spot_terms import spot_terms
from exchange.gateway.staleness import Staleness

ENGINE_LINK = "gateway->engine"


class Trading:
    """Handlers of the signed endpoints; a worker slot is counted as blocked on what its handler waits for."""

    def __init__(self, workers: Workers, pool: Pool, engine: EngineLink, market: Market) -> None:
        self._pool = pool
        self._engine = engine
        self._market = market
        self._on_engine = workers.blocked_on(ENGINE_LINK)
        self._on_pool = workers.blocked_on(pool.name)
        self.staleness = Staleness()

    async def place(self, call: Call) -> bytes:
        """`POST /fapi/v1/order`."""
        return await self.ask(call, ["order", call.account, call.stale_ms, order_terms(call.parameters)])

    async def sell_collateral(self, call: Call) -> bytes:
        """`POST /api/v3/order`: a spot order; what is traded there is collateral, and it can be sold at the market."""
        return await self.ask(call, ["sell collateral", call.account, *spot_terms(call.parameters)])

    async def cancel(self, call: Call) -> bytes:
        """`DELETE /fapi/v1/order`."""
        symbol = symbol_of(call.parameters)
        return await self.ask(call, ["cancel", call.account, symbol.index, *order_reference(call.parameters)])

    async def query(self, call: Call) -> bytes:
        """`GET /fapi/v1/order`."""
        symbol = symbol_of(call.parameters)
        return await self.ask(call, ["query", call.account, symbol.index, *order_reference(call.parameters)])

    async def open_orders(self, call: Call) -> bytes:
        """`GET /fapi/v1/openOrders`."""
        symbol = optional_symbol(call.parameters)
        return await self.ask(call, ["open", call.account, None if symbol is None else symbol.index])

    async def trades(self, call: Call) -> bytes:
        """`GET /fapi/v1/userTrades`."""
        limit = whole_number(call.parameters, b"limit", 500)
        return await self.ask(call, ["trades", call.account, symbol_of(call.parameters).index, limit])

    async def place_conditional(self, call: Call) -> bytes:
        """`POST /fapi/v1/algoOrder`."""
        return await self.ask(call, ["conditional", call.account, call.stale_ms, conditional_terms(call.parameters)])

    async def cancel_conditional(self, call: Call) -> bytes:
        """`DELETE /fapi/v1/algoOrder`."""
        return await self.ask(call, ["cancel conditional", call.account, *conditional_reference(call.parameters)])

    async def query_conditional(self, call: Call) -> bytes:
        """`GET /fapi/v1/algoOrder`."""
        return await self.ask(call, ["query conditional", call.account, *conditional_reference(call.parameters)])

    async def open_conditionals(self, call: Call) -> bytes:
        """`GET /fapi/v1/openAlgoOrders`."""
        symbol = optional_symbol(call.parameters)
        return await self.ask(call, ["open conditionals", call.account, None if symbol is None else symbol.index])

    async def transfer(self, call: Call) -> bytes:
        """`POST /sapi/v1/asset/transfer`: into the wallet."""
        return await self.ask(call, ["transfer", call.account, transfer_amount(call.parameters)])

    async def positions(self, call: Call) -> bytes:
        """`GET /fapi/v3/positionRisk`."""
        symbol = optional_symbol(call.parameters)
        rows = await self._rows(call)
        return position_risk(rows, self._market.marks, None if symbol is None else symbol.index)

    async def balance(self, call: Call) -> bytes:
        """`GET /fapi/v3/account`."""
        return account_information(await self._rows(call), self._market.marks)

    async def ask(self, call: Call, command: list[Any]) -> bytes:
        """Let the engine carry out a command; raises `Refusal` for what it refuses."""
        started_s = monotonic()
        self._on_engine.enter(started_s)
        try:
            status, body = await self._engine.call(command, call.deadline_s)
        finally:
            now_s = monotonic()
            self._on_engine.leave(started_s, now_s)
            call.blocked_s += now_s - started_s
        if status != 200:
            raise Passed(status, body)
        return body

    async def _rows(self, call: Call) -> list[Any]:
        started_s = monotonic()
        self._on_pool.enter(started_s)
        try:
            rows = await self._pool.read_account(call.account, call.deadline_s)
        finally:
            now_s = monotonic()
            self._on_pool.leave(started_s, now_s)
            call.blocked_s += now_s - started_s
        if rows:
            age_us = max(0, wall_us() - rows[0][COMPLETE_TO_US])
            self.staleness.observe(age_us / 1e6)
            call.headers.append((b"x-position-age-ms", b"%d" % (age_us // 1000)))
        return rows


class Passed(Refusal):
    """The engine's own refusal, its body passed on as it is."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, 0, body.decode())
        self._body = body

    @property
    def body(self) -> bytes:
        """The JSON error body of the engine."""
        return self._body
