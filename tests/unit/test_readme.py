"""What the README promises."""

from __future__ import annotations

import re

from labs.toolkit import anatomy, cli, notebooks, paths

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_is_a_plot_of_the_lesson() -> None:
    """`workshop outputs` writes it."""
    assert (paths.ROOT / ".github" / "rush.png").read_bytes() == anatomy.front_picture()


def test_the_list_of_lessons_is_what_the_lessons_say() -> None:
    """All of them and no other, with title, outcome and time; `workshop outputs` writes it."""
    rows = re.findall(r"^\| \d\d \| \[.+\]\(notebooks/(.+)\) \|.*\|$", README, re.MULTILINE)
    assert rows == [lesson.path.name for lesson in notebooks.lessons()]
    assert anatomy.listed(README) == README


def test_every_lesson_leads_to_the_next() -> None:
    """`workshop outputs` writes the link, too."""
    for lesson in notebooks.lessons():
        assert lesson.read().cells[-1].source.rpartition("\n")[2] == anatomy.leads_on(lesson)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (paths.ROOT / target).exists(), target


def test_every_command_is_in_the_readme_and_no_other() -> None:
    """The table of commands is that of `workshop --help`."""
    assert set(re.findall(r"`workshop (\w+)", README)) == {command.name for command in cli.COMMANDS}


def test_ci_runs_the_command_of_the_readme() -> None:
    script = (paths.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = re.findall(r"```bash\n(.+workshop validate)\n```", README)[0]
    assert command in script
