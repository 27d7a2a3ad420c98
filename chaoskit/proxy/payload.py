"""What the control API takes: JSON bodies, checked before anything changes.

Toxiproxy ignores unknown fields and takes any number. Here both are refused, with one exception: `toxics` and
`Logger` in the body of a proxy, because clients send back what they were shown.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chaoskit.address import Address
from chaoskit.proxy.address import parse
from chaoskit.proxy.refusal import Refusal, bad_body, missing_field
from chaoskit.proxy.toxic import Direction, Toxic
from chaoskit.proxy.toxics import TOXIC_TYPES, Attributes

_DEFAULT_LISTEN = "127.0.0.1:0"
"""Toxiproxy listens on every interface when `listen` is left out; a test tool should not by default."""

Toxicity = Annotated[float, Field(ge=0, le=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ProxyBody(_Body):
    """A proxy as a client wants it; None is what the client left out."""

    name: str | None = None
    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None
    toxics: Any = None
    Logger: Any = None


class ToxicBody(_Body):
    """A toxic as a client wants it; None is what the client left out."""

    name: str | None = None
    type: str | None = None
    stream: str | None = None
    toxicity: Toxicity | None = None
    attributes: dict[str, Any] | None = None


M = TypeVar("M", bound=BaseModel)


def new_proxy(body: bytes) -> ProxyBody:
    """The body of a request to create a proxy, complete. Raises Refusal (400)."""
    return _complete(_read(ProxyBody, _decode(body)), place="")


def new_proxies(body: bytes) -> list[ProxyBody]:
    """The body of `/populate`, each proxy complete. Raises Refusal (400)."""
    entries = _decode(body)
    if not isinstance(entries, list):
        raise bad_body(f"expected an array of proxies, got {_kind(entries)}")
    proxies = [_read(ProxyBody, entry) for entry in entries]
    return [_complete(proxy, place=f" at proxy {number}") for number, proxy in enumerate(proxies, start=1)]


def proxy_changes(body: bytes, name: str) -> ProxyBody:
    """The body of a request to change the proxy `name`. Raises Refusal (400)."""
    changes = _read(ProxyBody, _decode(body))
    if changes.name not in (None, "", name):
        raise bad_body(f"a proxy cannot be renamed (it is `{name}`); create another one")
    _check_addresses(changes)
    return changes


def new_toxic(body: bytes, taken: Mapping[str, Toxic]) -> Toxic:
    """The toxic that the body asks for; `taken` are the proxy's toxics by name. Raises Refusal (400, 409)."""
    wanted = _read(ToxicBody, _decode(body))
    try:
        direction = Direction((wanted.stream or Direction.DOWNSTREAM).lower())
    except ValueError as error:
        raise Refusal(400, "stream was invalid, can be either upstream or downstream") from error
    toxic_type = TOXIC_TYPES.get(wanted.type or "")
    if toxic_type is None:
        raise Refusal(400, "invalid toxic type")
    name = wanted.name or f"{toxic_type.name}_{direction}"
    _check_name(name)
    if name in taken:
        raise Refusal(409, "toxic already exists")
    attributes = _read(toxic_type.attributes, wanted.attributes or {}, where="attributes.")
    toxicity = 1.0 if wanted.toxicity is None else float(wanted.toxicity)
    return Toxic(name, toxic_type, direction, toxicity, attributes)


def toxic_changes(body: bytes, toxic: Toxic) -> tuple[Attributes, float]:
    """The attributes and the toxicity that `toxic` shall have. Raises Refusal (400)."""
    changes = _read(ToxicBody, _decode(body))
    fixed = {"name": toxic.name, "type": toxic.type.name, "stream": toxic.direction.value}
    for field, value in fixed.items():
        if getattr(changes, field) not in (None, "", value):
            raise bad_body(f"the {field} of a toxic cannot change (it is `{value}`); create another one")
    merged = toxic.attributes.model_dump() | (changes.attributes or {})
    attributes = _read(toxic.type.attributes, merged, where="attributes.")
    return attributes, toxic.toxicity if changes.toxicity is None else float(changes.toxicity)


def _complete(proxy: ProxyBody, *, place: str) -> ProxyBody:
    if not proxy.name:
        raise missing_field(f"name{place}")
    if not proxy.upstream:
        raise missing_field(f"upstream{place}")
    _check_name(proxy.name)
    _check_addresses(proxy)
    return proxy.model_copy(
        update={
            "listen": proxy.listen or _DEFAULT_LISTEN,
            "enabled": True if proxy.enabled is None else proxy.enabled,
        }
    )


def _check_name(name: str) -> None:
    if "/" in name:
        raise bad_body(f"name `{name}` has a slash, so no request could address it; leave the slash out")


def _check_addresses(proxy: ProxyBody) -> None:
    if proxy.listen:
        _parse_address("listen", proxy.listen)
    if proxy.upstream is not None:
        upstream = _parse_address("upstream", proxy.upstream)
        if not upstream.host or not upstream.port:
            raise bad_body(f"upstream `{proxy.upstream}` cannot be dialled; write `host:port`")


def _parse_address(field: str, text: str) -> Address:
    try:
        return parse(text)
    except ValueError as error:
        raise bad_body(f"{field}: {error}; write `host:port`") from error


def _decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    if not body.strip():
        raise bad_body("EOF")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_body(f"not JSON: {error}") from error


def _read(model: type[M], value: Any, where: str = "") -> M:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        raise bad_body(f"expected an object, got {_kind(value)}")
    present = {key: field for key, field in value.items() if field is not None}
    try:
        return model.model_validate(present)
    except ValidationError as error:
        raise bad_body("; ".join(_sentence(model, problem, where) for problem in error.errors())) from error


def _sentence(model: type[BaseModel], problem: Any, where: str) -> str:  # noqa: ANN401 - pydantic's own TypedDict
    place = where + ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"`{place}` is not known; choose from {', '.join(model.model_fields)}"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"`{place}`: {message}, got {orjson.dumps(problem['input']).decode()}"


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
