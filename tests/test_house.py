"""The house's rules: imports point one way, and the simulation does no input or output."""

import ast
from functools import cache
from pathlib import Path

SERVER = Path(__file__).parent.parent / "server"
FORBIDDEN_IN_SIMULATION = {"flask", "eventlet", "socketio", "flask_socketio", "threading", "socket", "asyncio", "time", "subprocess", "sqlite3",
                           "requests", "http", "urllib", "secrets", "os"}
LAYERS = (
    ("clock", "process", "objects", "errors", "errno", "store"),
    ("schema", "cron", "enums", "quantity", "selectors", "field_selectors", "names", "gotypes", "gojson", "yamltext", "conditions",
     "patterns", "printing", "machines", "inodes", "disks", "volumes"),
    ("apiserver",),
    ("events", "parts"),
    ("controllers", "scheduler", "kubelet", "runtime", "network"),
    ("components", "metrics_server"),
    ("chaos",),
    ("nodes",),
    ("bootstrap", "migration", "cluster"),
)
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> set[str]:
    """Every module imported at the top of a file or inside it, but for what is imported for types only."""
    found = set()
    tree = parsed(path)
    typing_only = {id(node) for branch in ast.walk(tree) if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
                   for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(folder: str) -> list[Path]:
    return sorted((SERVER / folder).rglob("*.py"))


def test_the_simulation_imports_nothing_from_the_rest_of_the_server():
    wrong = [(str(path), name) for path in files("cluster") for name in imports(path)
             if name.startswith("server") and not name.startswith("server.cluster") and name != "server"]
    assert wrong == []


def test_the_simulation_does_no_input_or_output():
    wrong = [(str(path), name) for path in files("cluster") for name in imports(path) if name.split(".")[0] in FORBIDDEN_IN_SIMULATION
             and name not in ("urllib.parse", "urllib") and not name.startswith("urllib.parse")]
    assert wrong == []


def test_chance_in_the_simulation_is_never_global():
    for path in files("cluster"):
        tree = parsed(path)
        calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
                 and node.value.id in ("random_module",) } - {"Random"}
        assert not calls, f"{path} uses the global random: {calls}"


def test_inside_the_simulation_imports_point_one_way():
    wrong = []
    for path in files("cluster"):
        part = path.relative_to(SERVER / "cluster").parts[0].removesuffix(".py")
        if part not in RANK:
            continue
        for name in imports(path):
            bits = name.split(".")
            if bits[:2] == ["server", "cluster"] and len(bits) > 2 and bits[2] in RANK and RANK[bits[2]] > RANK[part]:
                wrong.append((str(path.relative_to(SERVER)), name))
    assert wrong == []


def test_every_module_of_the_simulation_has_its_layer():
    parts = {path.relative_to(SERVER / "cluster").parts[0].removesuffix(".py") for path in files("cluster")} - {"__init__"}
    assert parts <= set(RANK)


def test_only_one_module_knows_the_green_thread_library():
    users = [str(path) for path in sorted(SERVER.rglob("*.py")) if any(name.split(".")[0] == "eventlet" for name in imports(path))]
    assert [Path(user).name for user in users] == ["green.py"]


def test_no_two_test_modules_share_their_name():
    modules = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert sorted(name for name in set(modules) if modules.count(name) > 1) == []


def test_every_controller_tells_which_page_it_follows_and_stands_in_the_readme():
    folder = SERVER / "cluster" / "controllers"
    listed = (folder / "README.md").read_text()
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            assert f"`{path.name}`" in listed, path.name
            assert "Source: https://" in (ast.get_docstring(ast.parse(path.read_text())) or ""), path.name


def test_the_outer_parts_import_one_way():
    allowed = {"kubeapi": {"cluster", "green", "kubeapi"}, "kubectl": {"cluster", "kubectl"},
               "rooms": {"cluster", "green", "kubectl", "memory", "rooms", "settings"},
               "live": {"cluster", "green", "kubectl", "rooms", "live", "settings"}}
    wrong = []
    for part, may in allowed.items():
        for path in files(part):
            for name in imports(path):
                bits = name.split(".")
                if bits[0] == "server" and len(bits) > 1 and bits[1] not in may:
                    wrong.append((str(path.relative_to(SERVER)), name))
    assert wrong == []
