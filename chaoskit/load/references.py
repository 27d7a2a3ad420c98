"""Secrets by reference: `${NAME}` in a credential or a request header is read from the environment of the run.

The plan, which the run's folder keeps, holds the reference only; a load process resolves it before it is released.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from chaoskit.errors import SetupFailed

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def resolved(texts: Mapping[str, str], what: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return `texts` with each `${NAME}` replaced by that variable; `what` names them in the error ("credential").

    Raises:
        SetupFailed: a variable is not set.
    """

    def value(name: str, found: re.Match[str]) -> str:
        if found[1] not in variables:
            message = f"{what} {name} refers to the environment variable {found[1]}, which is not set; export it first"
            raise SetupFailed(message)
        return variables[found[1]]

    return {name: _REFERENCE.sub(partial(value, name), text) for name, text in texts.items()}
