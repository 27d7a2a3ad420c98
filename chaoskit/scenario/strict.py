"""The base of every model that is read from a file."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Unknown keys are problems, nothing is converted silently, and what was read never changes."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
