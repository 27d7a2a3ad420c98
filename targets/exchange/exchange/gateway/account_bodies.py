"""Positions and balances in the venue's JSON shapes, from database rows and the latest mark prices."""

from collections.abc import Sequence
from typing import Any

import orjson

from exchange.engine.margin import SCALE, liquidation_price, maintenance
from exchange.venue import LEVERAGE, SYMBOLS, decimal_text, money_text

Row = Sequence[Any]
# Columns of `exchange.storage.READ_ACCOUNT`
WALLET, UPDATED_US, SYMBOL, LOTS, COST, COMPLETE_TO_US = range(6)


def _held(rows: Sequence[Row], symbol: int | None) -> list[Row]:
    return [row for row in rows if row[LOTS] and symbol in (None, row[SYMBOL])]


def position_risk(rows: Sequence[Row], marks: Sequence[int], symbol: int | None) -> bytes:
    """`GET /fapi/v3/positionRisk`: one object per open position, at mark prices `marks` (ticks)."""
    cushion = _cushion(rows, marks)
    return orjson.dumps([_position(row, marks, cushion) for row in _held(rows, symbol)])


def _cushion(rows: Sequence[Row], marks: Sequence[int]) -> int:
    """What the account is worth beyond its maintenance margin, in money units x `SCALE`."""
    cushion = rows[0][WALLET] * SCALE if rows else 0
    for row in rows:
        if row[LOTS]:
            unit = SYMBOLS[row[SYMBOL]].unit_value
            value = row[LOTS] * marks[row[SYMBOL]] * unit
            cushion += (value - row[COST] * unit) * SCALE - maintenance(abs(value))
    return cushion


def _position(row: Row, marks: Sequence[int], cushion: int) -> dict[str, object]:
    contract = SYMBOLS[row[SYMBOL]]
    lots, cost, mark = row[LOTS], row[COST], marks[row[SYMBOL]]
    unit = contract.unit_value
    price = contract.price_decimals
    notional = lots * mark * unit
    entry = decimal_text(cost * 100 // lots, price + 2)
    margin = money_text(abs(notional) // LEVERAGE)
    return {
        "symbol": contract.name,
        "positionSide": "BOTH",
        "positionAmt": decimal_text(lots, contract.quantity_decimals),
        "entryPrice": entry,
        "breakEvenPrice": entry,
        "markPrice": decimal_text(mark, price),
        "unRealizedProfit": money_text(notional - cost * unit),
        "liquidationPrice": _liquidation_price(row, mark, cushion),
        "isolatedMargin": "0",
        "notional": money_text(notional),
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": margin,
        "maintMargin": money_text(maintenance(abs(notional)) // SCALE),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": row[UPDATED_US] // 1000,
    }


def _liquidation_price(row: Row, mark: int, cushion: int) -> str:
    """The mark price at which the engine liquidates a cross position, the others' marks as they are; 0 where none is.

    An account that is short of margin already is liquidated where it stands.
    """
    price = liquidation_price(row[SYMBOL], row[LOTS], mark, max(1, cushion))
    return "0" if price is None else decimal_text(price, SYMBOLS[row[SYMBOL]].price_decimals)


def account_information(rows: Sequence[Row], marks: Sequence[int]) -> bytes:
    """`GET /fapi/v3/account`: the USDT balance and the open positions."""
    wallet = rows[0][WALLET] if rows else 0
    updated_ms = rows[0][UPDATED_US] // 1000 if rows else 0
    cushion = _cushion(rows, marks)
    positions = [_position(row, marks, cushion) for row in _held(rows, None)]
    profit = margin = 0
    for row in rows:
        unit = SYMBOLS[row[SYMBOL]].unit_value
        value = row[LOTS] * marks[row[SYMBOL]]
        profit += (value - row[COST]) * unit
        margin += abs(value) * unit // LEVERAGE
    available = money_text(max(0, wallet + profit - margin))
    asset = {
        "asset": "USDT",
        "walletBalance": money_text(wallet),
        "unrealizedProfit": money_text(profit),
        "marginBalance": money_text(wallet + profit),
        "maintMargin": money_text(((wallet + profit) * SCALE - cushion) // SCALE),
        "initialMargin": money_text(margin),
        "positionInitialMargin": money_text(margin),
        "openOrderInitialMargin": "0",
        "crossWalletBalance": money_text(wallet),
        "crossUnPnl": money_text(profit),
        "availableBalance": available,
        "maxWithdrawAmount": available,
        "updateTime": updated_ms,
    }
    return orjson.dumps(
        {
            "totalWalletBalance": asset["walletBalance"],
            "totalUnrealizedProfit": asset["unrealizedProfit"],
            "totalMarginBalance": asset["marginBalance"],
            "totalInitialMargin": asset["initialMargin"],
            "totalMaintMargin": asset["maintMargin"],
            "availableBalance": available,
            "maxWithdrawAmount": available,
            "assets": [asset],
            "positions": positions,
        }
    )
