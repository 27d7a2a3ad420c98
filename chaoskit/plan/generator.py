"""How load is made, where the command line knows it better than the scenario."""

from dataclasses import dataclass, replace

from chaoskit.address import Address
from chaoskit.errors import UsageError
from chaoskit.plan.model import Plan

_EVERYWHERE = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - refused below


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """What to play with in place of what the scenario says; None leaves it as it is.

    `bind` and `web` are HOST:PORT: where workers of other machines connect, and where Locust's page is shown.
    """

    workers: int | None = None
    expect_workers: int | None = None
    bind: str | None = None
    web: str | None = None
    csv: str | None = None


def with_generator(plan: Plan, options: GeneratorOptions) -> Plan:
    """Return `plan` played as `options` say, the same arrivals.

    Raises:
        UsageError: an option contradicts another, or an address is none.
    """
    if options.workers is not None and options.expect_workers:
        raise UsageError("--workers starts load processes here, --expect-workers waits for others; give one of them")
    generator = plan.generator
    if options.workers is not None:
        generator = replace(generator, workers=options.workers, remote_workers=0)
    if options.expect_workers is not None:
        generator = replace(generator, remote_workers=options.expect_workers)
    generator = replace(
        generator, listen=options.bind or generator.listen, web=options.web or "", csv=options.csv or ""
    )
    _check("--web", generator.web)
    if generator.remote_workers:
        _check("--bind, or `listen` of the generator", generator.listen)
    elif options.bind:
        raise UsageError("--bind says where workers of other machines connect; say how many by --expect-workers")
    return replace(plan, generator=generator)


def _check(option: str, text: str) -> None:
    try:
        host = Address.parse(text).host if text else ""
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if host in _EVERYWHERE:
        raise UsageError(f"{option}: {text} is no single address; name the one of this machine that others can reach")
