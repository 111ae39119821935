"""What FastAPI would send to a thread, request by request, shows here."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB = sorted((ROOT / "bot" / "web").rglob("*.py"))


def called(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_every_dependency_is_asynchronous() -> None:
    found = 0
    for path in WEB:
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for call in called(ast.parse(path.read_text("utf-8")), "Depends"):
            assert call.args, f"{path.name}:{call.lineno} depends on a class"
            dependency = eval(ast.unparse(call.args[0]), vars(module))  # noqa: S307  # our own code
            assert inspect.iscoroutinefunction(dependency), f"{path.name}:{call.lineno}"
            found += 1
    assert found >= 5


def test_every_route_is_asynchronous() -> None:
    found = 0
    for path in WEB:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            decorated = getattr(node, "decorator_list", ())
            routes = [one for one in decorated if ast.unparse(one).startswith("router.")]
            assert not (routes and isinstance(node, ast.FunctionDef)), f"{path.name}: {node}"
            found += bool(routes)
    assert found >= 50
