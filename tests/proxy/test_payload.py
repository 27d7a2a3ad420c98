"""The messages: what is wrong, where, and the mend. (Codes and shapes are the conformance suite's.)"""

import json
from typing import Any

import pytest

from chaoskit.proxy.payload import new_proxies, new_proxy, new_toxic, proxy_changes, toxic_changes
from chaoskit.proxy.refusal import Refusal
from chaoskit.proxy.toxics.latency import LatencyAttributes

PROXY = {"name": "web", "upstream": "localhost:1"}


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_defaults_of_a_proxy() -> None:
    wanted = new_proxy(body(PROXY))
    assert (wanted.listen, wanted.enabled) == ("127.0.0.1:0", True)


def test_what_clients_send_back_is_taken() -> None:
    shown: dict[str, object] = PROXY | {
        "listen": "127.0.0.1:1",
        "enabled": True,
        "Logger": {},
        "toxics": None,
    }
    assert proxy_changes(body(shown), "web").enabled is True


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (PROXY | {"upstrem": "x"}, "`upstrem` is not known; choose from name, listen, upstream, enabled"),
        (PROXY | {"enabled": "no"}, '`enabled`: input should be a valid boolean, got "no"'),
        (PROXY | {"name": "a/b"}, "name `a/b` has a slash"),
        (PROXY | {"upstream": "db"}, "upstream: address db: missing port in address; write `host:port`"),
        (PROXY | {"upstream": ":80"}, "upstream `:80` cannot be dialled; write `host:port`"),
        (PROXY | {"listen": "x", "enabled": False}, "listen: address x: missing port in address"),
        ([], "expected an object, got an array"),
        (7, "expected an object, got a number"),
    ],
)
def test_proxies_refused(proxy: object, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        new_proxy(body(proxy))
    assert caught.value.status == 400
    assert message in caught.value.message


def test_populate_names_the_proxy() -> None:
    with pytest.raises(Refusal, match="missing required field: name at proxy 2"):
        new_proxies(body([PROXY, {"upstream": "localhost:1"}]))


def test_a_proxy_is_not_renamed() -> None:
    with pytest.raises(Refusal, match="a proxy cannot be renamed"):
        proxy_changes(body({"name": "other"}), "web")


@pytest.mark.parametrize(
    ("toxic", "message"),
    [
        (
            {"type": "latency", "attributes": {"latencyy": 1}},
            "`attributes.latencyy` is not known; choose from latency, jitter",
        ),
        (
            {"type": "latency", "attributes": {"latency": -1}},
            "`attributes.latency`: input should be greater than or equal to 0, got -1",
        ),
        ({"type": "latency", "toxicity": 7}, "`toxicity`: input should be less than or equal to 1, got 7"),
        ({"type": "slicer"}, "`attributes.average_size`: field required"),
        (
            {"type": "slicer", "attributes": {"average_size": 2, "size_variation": 2}},
            "size_variation must be less than average_size",
        ),
        ({"type": "latency", "name": "a/b"}, "name `a/b` has a slash"),
    ],
)
def test_toxics_refused(toxic: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        new_toxic(body(toxic), taken={})
    assert message in caught.value.message


def test_changes_keep_what_they_do_not_name() -> None:
    toxic = new_toxic(body({"type": "latency", "attributes": {"latency": 5, "jitter": 2}, "toxicity": 0.5}), {})
    attributes, toxicity = toxic_changes(body({"attributes": {"jitter": 3}}), toxic)
    assert (attributes, toxicity) == (LatencyAttributes(latency=5, jitter=3), 0.5)


def test_changes_of_what_is_fixed_are_refused() -> None:
    toxic = new_toxic(body({"type": "latency"}), {})
    with pytest.raises(Refusal, match="the stream of a toxic cannot change"):
        toxic_changes(body({"stream": "upstream"}), toxic)
