"""The arrows between the rooms run one way, and no two files import each other. Proven by reading every import."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Files beside the rooms, which import each other only.
HELPERS = {"__init__", "atomic", "checkpoints", "config", "distributed"}
HELPERS |= {"flops", "image_metrics", "processes", "progress", "random", "runtime", "world"}
ARROWS = {  # room -> the rooms that it may import from, besides itself and the helpers
    "models": set(),
    "data": {"models"},
    "training": {"models", "data"},
    "methods": {"models", "data", "training", "evaluation"},
    "baselines": {"models", "data", "training", "methods"},
    "evaluation": {"models", "data", "training", "__main__"},  # __main__: the stages of run-experiments
    "export": {"models", "data"},
    "gym": set(),
    "bridge": {"gym"},
    "recordings": {"gym"},
    "recipe": {"models", "data", "training", "gym"},
    "wan": {"models", "training", "methods", "baselines"},
}


def modules() -> dict[str, Path]:
    files = [path for path in ROOT.rglob("*.py") if "tests" not in path.parts]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}


def imports(path: Path, known: dict[str, Path], everywhere: bool = True) -> set[str]:
    """The modules of ours that a file imports; without `everywhere` only those that it takes to load it."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "distill":
            base = ".".join(node.module.split(".")[1:])
            for name in node.names:
                inner = f"{base}.{name.name}".lstrip(".")
                found.add(inner if inner in known else base)
    return found


def test_rooms_import_only_from_the_rooms_before_them():
    known = modules()
    wrong = []
    for name, path in known.items():
        room = name.split(".")[0]
        if room == "__main__":
            continue
        allowed = HELPERS if room in HELPERS else HELPERS | {room} | ARROWS[room]
        wrong += [f"{name} -> {other}" for other in imports(path, known) if other.split(".")[0] not in allowed]
    assert not wrong


def test_no_imports_go_in_circles():
    known = modules()
    before = {name: imports(path, known) - {name} for name, path in known.items()}
    while free := [name for name, rest in before.items() if not rest & before.keys()]:
        for name in free:
            del before[name]
    assert not before
