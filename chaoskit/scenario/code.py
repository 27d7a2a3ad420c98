"""Python that a file names: found and looked into, never run."""

import ast
import sys
from pathlib import Path

from chaoskit.scenario.files import is_file


def missing_function(file: Path, function: str) -> str | None:
    """Return what is wrong with `function` of `file` as a sentence, None where it is defined at the top level."""
    tree = _parsed(file)
    if isinstance(tree, str):
        return tree
    defined = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if function in defined:
        return None
    return f"{file.name} defines no function {function} at its top level; check the name"


def module_file(folder: Path, module: str) -> Path:
    """Return the file of `module` (`shop.flows`) when imported from `folder`."""
    path = folder.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if is_file(package) else path.with_suffix(".py")


def missing_user(file: Path) -> str | None:
    """Return what is wrong with the locustfile `file` as a sentence, None where something in it can be a User.

    What it imports is not looked into, so any class with a base, and anything imported from elsewhere, can be one.
    """
    tree = _parsed(file)
    if isinstance(tree, str):
        return tree
    if any(_can_be_user(node) for node in ast.walk(tree)):
        return None
    return f"{file.name} has no class that can be a Locust User; write one, like `class Shopper(HttpUser):` with a task"


def _parsed(file: Path) -> ast.Module | str:
    """Return the syntax tree of `file`, or the sentence why there is none."""
    try:
        return ast.parse(file.read_bytes())
    except OSError:
        return f"the file {file.name} is not there or cannot be read; check the path, seen from this file"
    except (SyntaxError, ValueError, RecursionError) as error:
        place = f"{file.name}:{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else file.name
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"{place} is not valid Python ({said}); mend it first"


def _can_be_user(node: ast.AST) -> bool:
    if isinstance(node, ast.ClassDef):
        return bool(node.bases)
    if isinstance(node, ast.ImportFrom):
        package = (node.module or "").partition(".")[0]
        return bool(node.level) or package not in {"locust", *sys.stdlib_module_names}
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
