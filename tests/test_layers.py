"""The house as the design has it: imports run one way, and what is pure knows no database."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "events"

# Each layer may import what stands above it, and its own.
LAYERS = [
    "slugs texts addresses markup diffs merging documents formats importers refusals tokens queries".split(),
    ["models"],
    ["permissions", "log", "search"],
    ["related", "drafts"],
    ["publishing", "history", "previews"],
    ["keys", "verifying", "exporting", "importers.loading", "http"],
    ["records", "owning_up", "mementos", "outbound", "pushing", "tasks"],
    ["pages", "wire", "desk", "management", "admin"],
]
PURE = LAYERS[0]
WINGS = LAYERS[-1]


def modules():
    """(dotted name below `events`, path) of every module but the migrations and the package itself."""
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__" and not name.startswith("migrations"):
            yield name, path


MODULES = dict(modules())


def imports(path):
    """(what is imported, whether at the top of the module) for every import of a module."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node in top) for alias in node.names)


def layer(name):
    """The layer of a module of ours, by the longest name that the list has for it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for number, names in enumerate(LAYERS):
            if ".".join(parts[:length]) in names:
                return number
    raise AssertionError(f"events.{name} has no place in the layers")


def ours(imported):
    return imported.removeprefix("events.") if imported.startswith("events.") else None


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    for imported, _top in imports(MODULES[name]):
        if ours(imported):
            assert layer(ours(imported)) <= layer(name), f"events.{name} imports {imported}"


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name) == 0])
def test_pure_modules_know_no_database(name):
    for imported, _top in imports(MODULES[name]):
        assert not imported.startswith(("django.db", "django.contrib", "reversion", "taggit")), imported


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] in WINGS])
def test_wings_do_not_import_each_other(name):
    # `admin` is where Django looks for the desk.
    own = {"admin": "desk"}.get(name.split(".")[0], name.split(".")[0])
    others = {wing for wing in WINGS if wing != own}
    for imported, _top in imports(MODULES[name]):
        assert not ours(imported) or ours(imported).split(".")[0] not in others, imported


@pytest.mark.parametrize("name", MODULES)
def test_imports_stand_at_the_top(name):
    assert all(top for _imported, top in imports(MODULES[name]))


# For the desk's own programs, in the name of a key's person.
WRITING = ("wire.writing", "wire.idempotency")


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if name.split(".")[0] in ("pages", "wire", "http", "formats") and name not in WRITING],
)
def test_nothing_public_writes(name):
    """What readers and partners ask never saves, creates or deletes."""
    calls = [node for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.Call)]
    called = {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
    assert not called & {"save", "create", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "delete"}


RECORD_WRITERS = ("publishing", "log", "importers.loading", "models")


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(RECORD_WRITERS)])
def test_only_publishing_and_loading_write_the_record(name):
    for imported, _top in imports(MODULES[name]):
        assert imported not in ("events.log.public_act", "events.publishing.public_act", "events.log.Act")
