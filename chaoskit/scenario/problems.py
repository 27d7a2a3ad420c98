"""What a model finds wrong with a file, said in the house's words, at the line and column where it stands."""

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from chaoskit.errors import Problem
from chaoskit.scenario.document import Document, Location

Model = TypeVar("Model", bound=BaseModel)
_MAX_MESSAGE: Final = 400
_MOST_NAMES: Final = 30
_KINDS: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def validate(model: type[Model], document: Document) -> tuple[Model | None, list[Problem], list[Location]]:
    """Return the model of a document's data, or None with its problems and where in the data they lie."""
    try:
        return model.model_validate(document.data), [], []
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = [_problem(model, document, detail) for detail in details]
    return None, list(dict.fromkeys(problems)), [_location(detail) for detail in details]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest of the `known` names, or `; known are …`, for the end of a message."""
    known = list(known)
    near = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{near[0]}`?"
    more = f" and {len(known) - _MOST_NAMES:,} more" if len(known) > _MOST_NAMES else ""
    return f"; known here: {', '.join(sorted(known)[:_MOST_NAMES])}{more}" if known else "; there is none here"


def _location(detail: ErrorDetails) -> Location:
    return tuple(part for part in detail["loc"] if part != "[key]")


def _problem(model: type[BaseModel], document: Document, detail: ErrorDetails) -> Problem:
    location = _location(detail)
    at_key = detail["type"] == "extra_forbidden" or detail["loc"][-1:] == ("[key]",)
    message = _message(model, document, detail, location)
    if len(message) > _MAX_MESSAGE:
        message = f"{message[: _MAX_MESSAGE // 2]} … {message[-_MAX_MESSAGE // 2 :]}"
    return document.problem(location, message, key=at_key)


def _message(model: type[BaseModel], document: Document, detail: ErrorDetails, location: Location) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind not in {"missing", "extra_forbidden"}:
        location = document.present(location)
    name = _name(location)
    if kind == "value_error":
        text = str(context["error"])
        return text if text.startswith("`") or not location or "[key]" in detail["loc"] else f"{name}: {text}"
    if kind == "extra_forbidden":
        known = _keys(model, location[:-1])
        return f"the key {name} is not known{did_you_mean(str(location[-1]), known)}"
    if kind == "missing":
        return f"{name} is missing; add it{_example(model, location)}"
    if kind in _KINDS:
        return f"{name} is {_shown(document.at(location))} and must be {_KINDS[kind]}{_example(model, location)}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{name} is {_shown(document.at(location))} and must be {words} {_number(context[key])}"
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        one_of = "one of " if "," in choices else ""
        return f"{name} is {_shown(document.at(location))} and must be {one_of}{choices}"
    if kind in {"too_short", "string_too_short"}:
        few = (
            f"has fewer than {context['min_length']} entries; add some"
            if context.get("actual_length")
            else "is empty; fill it"
        )
        return f"{name} {few}{_example(model, location)}"
    if kind in {"too_long", "string_too_long"}:
        what = "characters" if kind == "string_too_long" else "entry" if context["max_length"] == 1 else "entries"
        return f"{name} has more than {context['max_length']:,} {what}; make it shorter or split it"
    if kind == "string_pattern_mismatch":
        return f"{name} is {_shown(document.at(location))}, which is not its form{_example(model, location)}"
    if kind == "finite_number":
        return f"{name} must be a finite number"
    return f"{name} is not valid: {_shown(document.at(location))}{_example(model, location)}"


def _name(location: Location) -> str:
    if not location:
        return "the file"
    last = location[-1]
    if isinstance(last, str):
        return f"`{last[:80]}`"
    return f"item {last + 1} of {_name(location[:-1])}"


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,g}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f"{value!r:.80}"


def _example(model: type[BaseModel], location: Location) -> str:
    field = _field(model, location)
    examples = field.examples if field else None
    if not examples:
        return ""
    return f", like `{location[-1]}: {_flow_style(examples[0])}`"


def _flow_style(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow_style(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow_style(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keys(model: type[BaseModel], location: Location) -> tuple[str, ...]:
    here = [candidate for candidate in _reached(model, location) if isinstance(candidate, type)]
    models = [candidate for candidate in here if issubclass(candidate, BaseModel)]
    return tuple(field.alias or name for found in models for name, field in found.model_fields.items())


def _field(model: type[BaseModel], location: Location) -> Any | None:  # noqa: ANN401 - pydantic's FieldInfo
    if not location:
        return None
    for found in _reached(model, location[:-1]):
        if isinstance(found, type) and issubclass(found, BaseModel):
            for name, field in found.model_fields.items():
                if (field.alias or name) == location[-1]:
                    return field
    return None


def _reached(annotation: Any, location: Location) -> list[Any]:  # noqa: ANN401 - any type annotation
    """Return the types that stand at `location` below a type: models, or what lists and mappings hold."""
    here = _alternatives(annotation)
    if not location:
        return here
    part, reached = location[0], []
    for candidate in here:
        origin, arguments = get_origin(candidate), get_args(candidate)
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            below = [
                field.annotation for name, field in candidate.model_fields.items() if (field.alias or name) == part
            ]
        elif (origin is list and isinstance(part, int)) or (origin is dict and isinstance(part, str)):
            below = [arguments[-1]]
        else:
            below = []
        reached += [found for annotation in below for found in _reached(annotation, location[1:])]
    return reached


def _alternatives(annotation: Any) -> list[Any]:  # noqa: ANN401 - any type annotation
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _alternatives(annotation.model_fields["root"].annotation)
    if isinstance(annotation, TypeAliasType):
        return _alternatives(annotation.__value__)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [found for argument in get_args(annotation) for found in _alternatives(argument)]
    return [annotation]
