"""The number of connections that a process may hold."""

import resource


def allow_many_connections() -> None:
    """Raise the soft limit on open files to the hard one: every connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
