"""How a stream's arrivals come: evenly, by chance, in bursts that set off more of themselves, or as recorded."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from chaoskit.scenario.quantities import PositiveDuration, Ratio
from chaoskit.scenario.strict import Strict

_WORDS: Final = ("constant", "poisson")
_MOST_BRANCHING: Final = 0.95
"""At 1 each burst would go on for ever; close to it a run is too short to show the rate that it was planned with."""


class Arrivals(Strict):
    """How arrivals come. `hawkes` needs `branching` and `decay`; its rate is the stream's, on average. `tape` needs a
    `file`, whose counts take the place of rates, ramps and multiples from the run's first second on."""

    kind: Literal["constant", "poisson", "hawkes", "tape"] = "constant"
    """`constant`: evenly. `poisson`: each by itself, by chance. `hawkes`: each sets off others for a while, as fear
    does (self-exciting). `tape`: as many in each interval as were recorded, evenly within it."""
    branching: Ratio | None = Field(default=None, examples=["60%"])
    """With `hawkes`: how many others an arrival sets off on average; of all arrivals this share is not spontaneous."""
    decay: PositiveDuration | None = Field(default=None, examples=["500ms"])
    """With `hawkes`: how long after an arrival those that it sets off come, on average (exponentially spread)."""

    file: str | None = Field(default=None, min_length=1, examples=["day.csv"])
    """With `tape`: a CSV file with the columns `time` (seconds, or ISO 8601 in UTC unless it names a zone),
    `stream`, `count`, next to the scenario."""
    stream: str | None = Field(default=None, min_length=1, examples=["orders"])
    """With `tape`: what the stream is called there, where that is not its name here."""
    speed: float = Field(default=1.0, gt=0, le=100_000, examples=[60])
    """With `tape`: its time passes so many times as fast, at the recorded rates: at 60, an hour in a minute."""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind == "hawkes" and (self.branching is None or self.decay is None):
            message = "`kind: hawkes` needs `branching: 60%` or the like, and `decay: 500ms` or the like"
            raise ValueError(message)
        if self.kind != "hawkes" and (self.branching is not None or self.decay is not None):
            message = f"`branching` and `decay` go with `kind: hawkes`, and this is {self.kind}; leave them out"
            raise ValueError(message)
        if self.kind == "tape" and self.file is None:
            message = "`kind: tape` needs `file: day.csv` or the like"
            raise ValueError(message)
        if self.kind != "tape" and self.model_fields_set & {"file", "stream", "speed"}:
            message = f"`file`, `stream` and `speed` go with `kind: tape`, and this is {self.kind}; leave them out"
            raise ValueError(message)
        if self.branching is not None and self.branching > _MOST_BRANCHING:
            message = (
                f"`branching` is {self.branching:.0%} and must be at most {_MOST_BRANCHING:.0%}: bursts have to end"
            )
            raise ValueError(message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the word form, too."""
        return {"anyOf": [{"type": "string", "enum": [*_WORDS]}, handler(core)]}


def _by_word(value: object) -> object:
    if isinstance(value, dict | Arrivals):
        return value
    if value not in _WORDS:
        message = f"`arrivals` is {value!r} and must be one of {', '.join(_WORDS)}, or a mapping with `kind`"
        raise ValueError(message)
    return {"kind": value}


ArrivalsOrWord = Annotated[Arrivals, BeforeValidator(_by_word)]
