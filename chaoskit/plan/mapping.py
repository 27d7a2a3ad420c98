"""Where the figures of a resource come from, with the values of settings filled in."""

from collections.abc import Mapping

from chaoskit.plan.model import PlannedMapping, PlannedQuantity, Scalar
from chaoskit.scenario.mapping import Busy, Quantity, ResourceMetrics


def plan_mapping(metrics: ResourceMetrics, component: str, settings: Mapping[str, Scalar]) -> PlannedMapping:
    """Return the mapping of a resource of `component`; `settings` holds every setting by `component.setting`."""

    def planned(quantity: Quantity) -> PlannedQuantity:
        return _quantity(quantity, component, settings)

    told = {name: planned(quantity) for name, quantity in metrics.quantities().items()}
    return PlannedMapping(
        quantities={name: quantity for name, quantity in told.items() if not name.startswith("blocked.")},
        blocked={on: planned(quantity) for on, quantity in metrics.blocked.items()},
        level=metrics.busy is not None and metrics.busy.level is not None,
    )


def _quantity(quantity: Quantity, component: str, settings: Mapping[str, Scalar]) -> PlannedQuantity:
    series = quantity.sum or (quantity.level if isinstance(quantity, Busy) else None)
    if series is not None:
        return PlannedQuantity(tuple(series), tuple(quantity.minus or ()), quantity.scale, quantity.offset)
    constant = quantity.constant or 0.0
    if quantity.setting is not None:
        name = quantity.setting if "." in quantity.setting else f"{component}.{quantity.setting}"
        constant = float(settings[name])
    return PlannedQuantity(constant=constant * quantity.scale + quantity.offset)
