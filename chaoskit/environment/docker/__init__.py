"""The docker driver: images, networks, volumes and containers of a run, all labelled, all taken away again."""

from chaoskit.environment.docker.driver import DockerDriver

__all__ = ["DockerDriver"]
