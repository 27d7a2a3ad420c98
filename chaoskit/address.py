"""Where something listens: a host and a TCP port."""

from typing import NamedTuple


class Address(NamedTuple):
    """A host name or IP address and a TCP port: 1 … 65535, or 0 where the kernel is to choose one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `HOST:PORT`.

        Raises:
            ValueError: there is no port, or it is not 1 … 65535.
        """
        host, _, port = text.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
            message = f"{text!r} is not an address; write it like 127.0.0.1:8080"
            raise ValueError(message)
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
