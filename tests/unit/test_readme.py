"""What the README promises."""

from __future__ import annotations

import base64
import re

from labs.toolkit import notebooks, paths

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_is_a_plot_of_the_lesson() -> None:
    pictures = [
        base64.b64decode(output["data"]["image/png"])
        for cell in notebooks.find("04").read().cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert (paths.ROOT / ".github" / "rush.png").read_bytes() in pictures


def test_every_lesson_is_listed_and_every_link_leads_somewhere() -> None:
    for lesson in notebooks.lessons():
        assert f"(notebooks/{lesson.path.name})" in README
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (paths.ROOT / target).exists(), target


def test_ci_runs_the_command_of_the_readme() -> None:
    script = (paths.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = re.findall(r"```bash\n(.+workshop validate)\n```", README)[0]
    assert command in script
