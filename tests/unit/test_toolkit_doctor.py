"""``workshop doctor``: what it finds, and what it advises."""

import pytest

from labs.toolkit import cli, doctor, paths
from labs.toolkit.doctor import Finding, different, examine


def test_packages_are_compared_with_the_requirements():
    has = {"boto3": "1.44.1", "moto": "5.2.5"}
    text = (
        "# exact versions\nboto3==1.44.2\nmoto[all]==5.2.5\n"
        "jupyterlab==4.6.6 ; python_version > '3'\nold==1 ; python_version < '3'\n"
    )
    assert different(text, has.get) == ["boto3 is 1.44.1 instead of 1.44.2", "jupyterlab is missing"]


def test_the_workshops_own_requirements_can_be_compared():
    text = (paths.ROOT / "requirements.txt").read_text()
    assert "boto3 is missing" in different(text, lambda name: None)
    assert different("-e .\n# nothing\n", lambda name: None) == []


def test_a_finding_in_words():
    assert str(Finding("Node v24", True, "unused")) == "✔ Node v24"
    assert str(Finding("no Node", False, "install it")) == "✘ no Node\n    install it"
    assert str(Finding("no git", False, "install it", needed=False)) == "○ no git\n    install it"


def test_what_breaks_while_it_is_looked_at_is_a_finding(monkeypatch):
    def _cloud():
        raise ImportError("No module named 'moto'")

    monkeypatch.setattr(doctor, "_cloud", _cloud)
    found = {finding.what: finding for finding in examine()}
    broken = found["cloud: ImportError: No module named 'moto'"]
    assert (broken.there, broken.needed) == (False, True)
    assert "pip install" in broken.remedy


@pytest.mark.parametrize(("needed", "status"), [(True, 1), (False, 0)])
def test_only_what_is_needed_fails(monkeypatch, capsys, needed, status):
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("x", False, "get it", needed=needed)])
    assert cli.main(["doctor"]) == status


def test_a_browser_can_be_named(monkeypatch):
    monkeypatch.setenv("WORKSHOP_CHROMIUM", "/opt/chrome")
    assert doctor.chromium() == "/opt/chrome"
