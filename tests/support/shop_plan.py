"""Scenarios on the shop, from text to plan."""

from pathlib import Path

from chaoskit import plan as planning
from chaoskit.plan.model import Plan
from chaoskit.scenario import load

SHOP = Path(__file__).with_name("shop") / "target.yaml"

DAY = f"""\
version: 1
name: shop-day
title: A busy day at the shop
seed: 7
steady_tolerance: 80%
target: {{use: {SHOP}}}
load:
  buying: {{flow: buy, rate: 100/s}}
phases:
  - baseline: {{for: 4s}}
  - surge: {{for: 3s, multiply: 3}}
  - recovery: {{for: 2s}}
"""


def shop_plan(folder: Path, text: str = DAY, **settings: str) -> Plan:
    """Return the plan of a scenario on the shop; `settings` are those of its `api`."""
    file = folder / "shop-day.yaml"
    file.write_text(text)
    return planning.build(load(file, overrides={f"api.{name}": value for name, value in settings.items()}))
