"""The words of objectives: what can be measured, and how it is compared with a bound."""

from typing import Final, Literal

Comparison = Literal["<", "<=", ">", ">="]
Metric = Literal[
    "quantile", "service_quantile", "errors", "rate", "amplification", "recovery",
    "silence_quantile", "age_quantile", "messages", "drops", "finding",
]  # fmt: skip

OF_ARRIVALS: Final[frozenset[Metric]] = frozenset({"quantile", "service_quantile"})
"""Percentiles over arrivals, which need so many of them."""
OF_MESSAGES: Final[frozenset[Metric]] = frozenset({"silence_quantile", "age_quantile", "messages", "drops"})
"""What is measured of the messages that subscribers get."""
