"""Components that exist only where a setting asks for them."""

from collections.abc import Iterator, Mapping

from chaoskit.scenario.document import Finding, Location
from chaoskit.scenario.manifest import Component, Manifest, Setting
from chaoskit.scenario.problems import did_you_mean
from chaoskit.scenario.settings import Scalar, parse_setting


def present(manifest: Manifest, given: Mapping[str, object]) -> Manifest:
    """Return `manifest` without the components whose `where` is not met by `given` and the defaults.

    With a component go the links to it, the arguments and variables that hand over its address, and its figures.
    """
    if not any(component.where for component in manifest.components.values()):
        return manifest
    models = manifest.setting_models()
    settings = _settings(models, given)
    gone = {
        name
        for name, component in manifest.components.items()
        for setting, wanted in component.where.items()
        if settings[setting] not in [parse_setting(models[setting], value) for value in _listed(wanted)]
    }
    components = {
        name: _without(component, gone) for name, component in manifest.components.items() if name not in gone
    }
    figures = [figure for figure in manifest.figures if figure.component not in gone]
    return manifest.model_copy(update={"components": components, "figures": figures})


def check_presence(manifest: Manifest) -> Iterator[Finding]:
    """Yield every `where` that refers to nothing, and what cannot do without a component that may be missing."""
    models = manifest.setting_models()
    for name, component in manifest.components.items():
        here: Location = ("components", name, "where")
        if component.entry and component.where:
            yield Finding(here, "load enters here, so the component is always needed; leave `where` out", key=True)
        for setting, wanted in component.where.items():
            if setting not in models:
                message = f"the setting {setting!r} is not declared{did_you_mean(setting, models)}"
                yield Finding((*here, setting), message, key=True)
            elif manifest.components[setting.partition(".")[0]].where:
                message = "a setting of a component that may be missing itself cannot decide; name another"
                yield Finding((*here, setting), message, key=True)
            else:
                try:
                    for value in _listed(wanted):
                        parse_setting(models[setting], value)
                except ValueError as error:
                    yield Finding((*here, setting), f"`{setting}`: {error}")
        yield from _check_needs(manifest, name, component)


def _check_needs(manifest: Manifest, name: str, component: Component) -> Iterator[Finding]:
    """A resource's size and a component's metrics must not come from a component that may be missing."""
    optional = {other for other, model in manifest.components.items() if model.where and other != name}
    why = "names a component with `where`, which may be missing; name one that is always there"
    for resource, model in component.resources.items():
        if (model.sized_by or "").rpartition(".")[0] in optional:
            yield Finding(("components", name, "resources", resource, "sized_by"), f"`sized_by` {why}")
    if component.metrics is not None and component.metrics.component in optional:
        yield Finding(("components", name, "metrics", "component"), f"`component` {why}")


def _settings(models: Mapping[str, Setting], given: Mapping[str, object]) -> dict[str, Scalar]:
    settings = {}
    for name, model in models.items():
        settings[name] = parse_setting(model, model.default)
        if name in given:
            try:
                settings[name] = parse_setting(model, given[name])
            except ValueError:
                continue  # told where the scenario is checked
    return settings


def _listed(wanted: object) -> list[object]:
    return wanted if isinstance(wanted, list) else [wanted]


def _without(component: Component, gone: set[str]) -> Component:
    links = [link for link in component.links if link not in gone]
    if len(links) == len(component.links):
        return component
    addresses = [f"{{links.{name}}}" for name in gone]

    def kept(text: str) -> bool:
        return not any(address in text for address in addresses)

    update: dict[str, object] = {
        "links": links,
        "environment": {name: text for name, text in component.environment.items() if kept(text)},
    }
    if component.command is not None:
        update["command"] = [text for text in component.command if kept(text)]
    if component.container is not None and component.container.command is not None:
        command = [text for text in component.container.command if kept(text)]
        update["container"] = component.container.model_copy(update={"command": command})
    return component.model_copy(update=update)
