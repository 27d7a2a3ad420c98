"""Positions and balances in the venue's JSON shapes, from database rows and the latest mark prices."""

from collections.abc import Sequence
from typing import Any

import orjson

from exchange.venue import LEVERAGE, SYMBOLS, decimal_text, money_text

MAINTENANCE_PER_1_000 = 4  # the first bracket of the venue's table: 0.40 %
LIQUIDATION_DIGITS = 2

Row = Sequence[Any]
# Columns of `exchange.storage.READ_ACCOUNT`
WALLET, UPDATED_US, SYMBOL, LOTS, COST, COMPLETE_TO_US = range(6)


def _held(rows: Sequence[Row], symbol: int | None) -> list[Row]:
    return [row for row in rows if row[LOTS] and symbol in (None, row[SYMBOL])]


def position_risk(rows: Sequence[Row], marks: Sequence[int], symbol: int | None) -> bytes:
    """`GET /fapi/v3/positionRisk`: one object per open position, at mark prices `marks` (ticks)."""
    return orjson.dumps([_position(row, rows, marks) for row in _held(rows, symbol)])


def _position(row: Row, rows: Sequence[Row], marks: Sequence[int]) -> dict[str, object]:
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
        "liquidationPrice": _liquidation_price(row, rows, marks),
        "isolatedMargin": "0",
        "notional": money_text(notional),
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": margin,
        "maintMargin": money_text(abs(notional) * MAINTENANCE_PER_1_000 // 1_000),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": row[UPDATED_US] // 1000,
    }


def _liquidation_price(row: Row, rows: Sequence[Row], marks: Sequence[int]) -> str:
    """The mark price at which a one-way cross position is liquidated; 0 where no price would.

    LP = (wallet - other maintenance + other unrealised - side x qty x entry) / (qty x MMR - side x qty).
    """
    equity = row[WALLET]
    for other in rows:
        if other[SYMBOL] != row[SYMBOL]:
            unit = SYMBOLS[other[SYMBOL]].unit_value
            value = other[LOTS] * marks[other[SYMBOL]]
            equity += (value - other[COST] - abs(value) * MAINTENANCE_PER_1_000 / 1_000) * unit
    contract = SYMBOLS[row[SYMBOL]]
    lots = row[LOTS]
    ticks = (equity / contract.unit_value - row[COST]) / (abs(lots) * MAINTENANCE_PER_1_000 / 1_000 - lots)
    return decimal_text(int(max(0.0, ticks) * 10**LIQUIDATION_DIGITS), contract.price_decimals + LIQUIDATION_DIGITS)


def account_information(rows: Sequence[Row], marks: Sequence[int]) -> bytes:
    """`GET /fapi/v3/account`: the USDT balance and the open positions."""
    wallet = rows[0][WALLET] if rows else 0
    updated_ms = rows[0][UPDATED_US] // 1000 if rows else 0
    positions = [_position(row, rows, marks) for row in _held(rows, None)]
    profit = margin = maintenance = 0
    for row in rows:
        unit = SYMBOLS[row[SYMBOL]].unit_value
        value = row[LOTS] * marks[row[SYMBOL]]
        profit += (value - row[COST]) * unit
        margin += abs(value) * unit // LEVERAGE
        maintenance += abs(value) * unit * MAINTENANCE_PER_1_000 // 1_000
    available = money_text(max(0, wallet + profit - margin))
    asset = {
        "asset": "USDT",
        "walletBalance": money_text(wallet),
        "unrealizedProfit": money_text(profit),
        "marginBalance": money_text(wallet + profit),
        "maintMargin": money_text(maintenance),
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
