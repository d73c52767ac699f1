"""The structure of the package, held by force instead of prose."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ohmnas

ROOT = Path(ohmnas.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))

GROUND = {
    "errors",
    "estimate",
    "files",
    "json_values",
    "lazy",
    "lookup",
    "npz",
    "pictures",
    "registry",
    "targets",
    "threads",
    "version",
}
ALLOWED = {
    "errors": set[str](),
    "files": {"errors"},
    "json_values": {"errors", "lookup"},
    "lazy": set[str](),
    "lookup": {"errors"},
    "npz": {"errors", "files"},
    "registry": {"errors", "lookup"},
    "targets": {"lookup"},
    "estimate": {"errors", "targets"},
    "threads": set[str](),
    "version": set[str](),
    "pictures": {"errors", "files"},
    "hardware": GROUND,
    "spaces": GROUND | {"hardware"},
    "costs": GROUND | {"spaces", "hardware"},
    "search": GROUND | {"hardware", "spaces", "costs"},
    "analog": GROUND | {"hardware", "spaces"},
    "datasets": GROUND | {"hardware", "spaces", "search", "analog"},
    "surrogate": GROUND | {"hardware", "spaces", "costs", "search", "datasets"},
    "estimators": GROUND | {"hardware", "spaces", "costs", "search", "analog", "datasets", "surrogate"},
    "oneshot": GROUND | {"hardware", "spaces", "costs", "search", "analog", "datasets", "surrogate", "estimators"},
    "refine": GROUND | {"hardware", "spaces", "costs", "search", "datasets", "surrogate", "estimators"},
    "export": GROUND | {"hardware", "spaces", "costs", "search", "analog", "datasets", "surrogate", "estimators"},
    "report": GROUND | {"hardware", "spaces", "costs", "search", "datasets", "surrogate"},
    "testing": GROUND
    | {"hardware", "spaces", "costs", "search", "analog", "datasets", "surrogate", "estimators", "export"},
    "__main__": {"cli"},
    "cli": GROUND
    | {
        "hardware",
        "spaces",
        "costs",
        "search",
        "datasets",
        "surrogate",
        "estimators",
        "oneshot",
        "refine",
        "export",
        "report",
    },
}
"""Part of ohmnas -> the other parts that it may import."""
DATASET_FILES_FOR_SURROGATES = {f"ohmnas.datasets.tables{end}" for end in ("", ".table", ".schema")}
MEASURES = (
    *("parts", "naswot", "jacov", "epe_nas", "synflow", "snip", "grad_norm", "fisher", "grasp", "zen", "gradsign"),
    *("zico", "az_nas", "deviation"),
)
"""Files of zero-cost proxies that need the network."""
TORCH_AT_IMPORT = {
    "spaces/modules.py",
    "spaces/resnet/network.py",
    "spaces/cells/network.py",
    "spaces/mobile/network.py",
    *(f"estimators/zero_cost/{name}.py" for name in MEASURES),
    "estimators/inherit/net2net.py",
}
"""Files outside of `TORCH_PARTS` that import torch when they are imported."""
TORCH_PARTS = {"analog", "oneshot"}
"""Parts whose files import torch when they are imported."""
TORCH_FILES = {
    *TORCH_AT_IMPORT,
    "spaces/space.py",
    "spaces/codesign.py",
    "spaces/resnet/space.py",
    "spaces/cells/space.py",
    "spaces/mobile/space.py",
    "datasets/campaign/kept.py",
    "datasets/campaign/measure.py",
    "datasets/campaign/trained.py",
    "estimators/zero_cost/measure.py",
    "estimators/zero_cost/networks.py",
    "estimators/zero_cost/on_chip.py",
    "estimators/inherit/inherited.py",
    "search/candidate.py",
    "export/source.py",
    "export/plain_torch.py",
    "export/onnx_model.py",
    "export/aihwkit_code.py",
    "testing/exporter.py",
    "testing/spaces.py",
    "testing/technology.py",
}
"""Files outside of `TORCH_PARTS` that may name torch or aihwkit."""


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Imported modules of a file, and whether the import runs when the file is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    deferred = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in deferred) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{alias.name}", id(node) not in deferred) for alias in node.names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_in_the_allowed_direction(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name, _ in imports_of(path):
        if name.startswith("ohmnas.") and part != "__init__":
            other = name.split(".")[1]
            assert other == part or other in ALLOWED[part], f"{path} imports {name}"
            if part == "surrogate" and other == "datasets" and path.name != "chooser.py":  # runs campaigns
                assert name.rpartition(".")[0] in DATASET_FILES_FOR_SURROGATES, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_is_imported_only_where_networks_are(path: Path) -> None:
    relative = path.relative_to(ROOT)
    for name, at_import in imports_of(path):
        package = name.split(".")[0]
        if package in {"torch", "aihwkit"} and relative.parts[0] not in TORCH_PARTS:
            assert str(relative) in TORCH_FILES, f"{path} imports {name}"
            assert not at_import or str(relative) in TORCH_AT_IMPORT
        if name.startswith("ohmnas.analog") and relative.parts[0] not in TORCH_PARTS:
            assert not at_import, f"{path} imports {name} at import time"


def test_the_search_path_loads_neither_torch_nor_aihwkit() -> None:
    script = (
        "import sys, ohmnas, ohmnas.spaces, ohmnas.surrogate.model_file, ohmnas.surrogate.surrogate, "
        "ohmnas.surrogate.score, ohmnas.search, ohmnas.estimators.fitted, ohmnas.cli.search, "
        "ohmnas.estimators.cascade, ohmnas.estimators.zero_cost.proxies, ohmnas.cli.campaign, ohmnas.cli.status, "
        "ohmnas.cli.report, ohmnas.cli.show, ohmnas.cli.supernet\n"
        "print(sorted({'torch', 'torchvision', 'aihwkit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_imports(path: Path) -> None:
    name = ".".join(("ohmnas", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    importlib.import_module(name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_a_test_file(path: Path) -> None:
    if path.name != "__init__.py":
        relative = path.relative_to(ROOT)
        assert (TESTS / relative.parent / f"test_{relative.name}").is_file()
