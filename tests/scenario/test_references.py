import pytest

from chaoskit.scenario.references import is_safe


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.8.8", "::1", "localhost", "api.localhost", "10.1.2.3", "192.168.0.1", "172.31.0.1", "fd00::1"],
)
def test_loopback_and_private_hosts_are_safe(host: str) -> None:
    assert is_safe(host)


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "api.example.com",
        "localhost.example.com",
        "2001:4860:4860::8888",
        "0.0.0.0",
        "",
        "169.254.169.254",
        "fe80::1",
        "192.0.2.1",
        "::ffff:8.8.8.8",
        "172.32.0.1",
        "100.64.0.1",
    ],
)
def test_all_others_are_not(host: str) -> None:
    assert not is_safe(host)
