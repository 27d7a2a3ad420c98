"""The compose driver: a user's own compose file as a target, beside whatever of it runs already."""

from chaoskit.environment.compose.driver import ComposeDriver

__all__ = ["ComposeDriver"]
