"""Python that a file names: found and looked into, never run."""

import ast
from pathlib import Path


def missing_function(file: Path, function: str) -> str | None:
    """Return what is wrong with `function` of `file` as a sentence, None where it is defined at the top level."""
    try:
        tree = ast.parse(file.read_bytes())
    except OSError:
        return f"the file {file.name} is not there or cannot be read; check the path, seen from this file"
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"{file.name} is not valid Python ({error}); mend it first"
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
    return package if package.is_file() else path.with_suffix(".py")
