"""What images and port numbers usually mean: the guesses that `chaoskit init --from-compose` starts from."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Usual:
    """A kind of server: its port's name and number, and its protocol as a manifest writes it."""

    name: str
    number: int
    protocol: str


HTTP: Final = Usual("http", 80, "http")
_MEMCACHED: Final = r'{send: "version\r\n", expect: VERSION}'
_BY_IMAGE: Final = (
    (r"postgres|postgis|timescale|pgvector", Usual("sql", 5432, "postgres")),
    (r"pgbouncer|pgcat|odyssey", Usual("sql", 6432, "postgres")),
    (r"cockroach", Usual("sql", 26257, "postgres")),
    (r"redis|valkey|keydb|dragonfly", Usual("redis", 6379, "redis")),
    (r"memcached", Usual("memcached", 11211, _MEMCACHED)),
    (r"mysql|mariadb|percona", Usual("sql", 3306, "tcp")),
    (r"mongo", Usual("mongo", 27017, "tcp")),
    (r"rabbitmq", Usual("amqp", 5672, "tcp")),
    (r"kafka|redpanda", Usual("kafka", 9092, "tcp")),
    (r"nats", Usual("nats", 4222, "tcp")),
    (r"elasticsearch|opensearch", Usual("http", 9200, "http")),
    (r"clickhouse", Usual("http", 8123, "http")),
    (r"nginx|httpd|caddy|traefik|apache|envoy|kong|haproxy", HTTP),
    (r"grafana", Usual("http", 3000, "http")),
    (r"prometheus", Usual("http", 9090, "http")),
)
_BY_SCHEME: Final = {
    "http": HTTP,
    "postgres": Usual("sql", 5432, "postgres"),
    "postgresql": Usual("sql", 5432, "postgres"),
    "redis": Usual("redis", 6379, "redis"),
    "mysql": Usual("sql", 3306, "tcp"),
    "mongodb": Usual("mongo", 27017, "tcp"),
    "amqp": Usual("amqp", 5672, "tcp"),
    "nats": Usual("nats", 4222, "tcp"),
}
_HTTP_NUMBERS: Final = re.compile(r"80|[38]0[0-9][0-9]|81[0-9][0-9]|88[0-9][0-9]|4000|5000|5001|9000|9090|9200")


def of_image(image: str) -> Usual | None:
    """Return what kind of server an image is, by its name; None where the name says nothing."""
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
    return next((usual for pattern, usual in _BY_IMAGE if re.search(pattern, name)), None)


def of_number(number: int) -> Usual | None:
    """Return what kind of server a port number usually belongs to; None where it says nothing."""
    known = {usual.number: usual for _, usual in reversed(_BY_IMAGE)}
    if number in known:
        return known[number]
    return Usual("http", number, "http") if _HTTP_NUMBERS.fullmatch(str(number)) else None


def of_scheme(scheme: str | None) -> Usual | None:
    """Return what kind of server a URL's scheme means; None where it is unknown. What follows a `+` is a driver."""
    return _BY_SCHEME.get((scheme or "").partition("+")[0])
