"""What the operator is told about settings and commands is what there is."""

import re
from pathlib import Path

from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operator.md").read_text()
SETTINGS = (ROOT / "newsdesk" / "settings.py").read_text()


def test_every_environment_variable_has_its_row():
    read = set(re.findall(r"(?:variable|switch|number)\(\s*\"([A-Z_]+)\"", SETTINGS))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE))
    assert read == told


def test_defaults_in_the_table_are_those_of_the_settings():
    for name, default in re.findall(r"(?:variable|switch|number)\(\"([A-Z_]+)\", \"([^\"]+)\"\)", SETTINGS):
        assert re.search(rf"^\| `{name}` \| `{re.escape(default)}`", TEXT, re.MULTILINE), name


def test_every_command_of_ours_is_described_with_its_options():
    ours = [name for name, app in get_commands().items() if app == "events"]
    assert ours
    for name in ours:
        assert f"manage.py {name}" in TEXT
        parser = load_command_class("events", name).create_parser("manage.py", name)
        common = {"--help", "--version", "--settings", "--pythonpath", "--verbosity", "--traceback", "--no-color"}
        common |= {"--force-color", "--skip-checks"}
        for option in {option for action in parser._actions for option in action.option_strings} - common:
            assert not option.startswith("--") or option in TEXT, f"{name} {option}"


def test_pages_of_the_documentation_that_are_linked_exist():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
