"""An assert of a lesson's cell: an error in the simulation, a printed line on a real cloud."""

import ast
from types import SimpleNamespace

import pytest

from labs.toolkit import claims

CELL = "twice, sent = 3, 1\nassert twice == sent > 0  # each of them\nprint('and on')"


def run(cell: str) -> None:
    tree = claims.Claims().visit(ast.parse(cell))
    exec(compile(tree, "cell", "exec"), {claims._NAME: claims.missed})


def test_in_the_simulation_a_missed_claim_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr(claims, "current_cloud", lambda: SimpleNamespace(simulated=True))
    with pytest.raises(AssertionError):
        run(CELL)
    assert capsys.readouterr().out == ""


def test_on_a_real_cloud_it_is_printed_and_the_cell_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(claims, "current_cloud", lambda: SimpleNamespace(simulated=False))
    run(CELL)
    assert capsys.readouterr().out == (
        "✘ twice == sent > 0: not in this run; the text has the simulation's numbers\nand on\n"
    )


def test_before_connect_it_is_an_error(monkeypatch):
    def none():
        raise RuntimeError("no cloud is connected")

    monkeypatch.setattr(claims, "current_cloud", none)
    with pytest.raises(AssertionError, match="never"):
        run("assert 1 == 2, 'never'")


def test_a_claim_that_holds_prints_nothing(monkeypatch, capsys):
    monkeypatch.setattr(claims, "current_cloud", lambda: SimpleNamespace(simulated=False))
    run("for n in (1, 2):\n    assert n")
    assert capsys.readouterr().out == ""


def test_a_shell_is_told_once():
    shell = SimpleNamespace(user_ns={}, user_ns_hidden={}, ast_transformers=[])
    claims.register(shell)
    claims.register(shell)
    assert len(shell.ast_transformers) == 1
    assert shell.user_ns == {claims._NAME: claims.missed}
