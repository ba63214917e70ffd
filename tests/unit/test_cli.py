"""The command ``workshop``, on small lessons of its own."""

import os

import nbformat
import pytest

from labs.toolkit import cli, commands, notebooks, paths
from labs.toolkit.notebooks import Lesson, LessonError, chosen, find, split
from labs.toolkit.outputs import normalise, problems
from labs.toolkit.record import Record

new = nbformat.v4


def notebook(*cells):
    return new.new_notebook(cells=list(cells))


def code(source, *tags):
    return new.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """Two lessons in a folder of their own, and a build folder beside it."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(paths, "NOTEBOOKS", folder)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    for name in notebooks.ENVIRONMENT:
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    nbformat.write(
        notebook(
            new.new_markdown_cell("# Say hello"),
            code('target = "local"\nseed: int = 0\nscale = 1\nfast = False', "parameters"),
            new.new_markdown_cell("## Greet\n\nLike this."),
            code("print('hello', seed, scale, target)"),
            code("scale * 2"),
        ),
        folder / "00_welcome.ipynb",
    )
    nbformat.write(
        notebook(new.new_markdown_cell("# Fail"), new.new_markdown_cell("## Break"), code("1 / 0")),
        folder / "04_queue_processing.ipynb",
    )
    return folder


@pytest.fixture
def handed(monkeypatch):
    """Commands that would have replaced this process."""
    found = []
    monkeypatch.setattr(
        commands, "hand_over", lambda command, environment: found.append((command, environment)) or 0
    )
    return found


def test_a_lesson_is_found_by_number_name_or_file(lessons):
    for wanted in (
        "04",
        "4",
        "queue_processing",
        "queue",
        "04_queue_processing",
        "notebooks/04_queue_processing.ipynb",
    ):
        assert find(wanted).name == "queue_processing"


@pytest.mark.parametrize("wanted", ["05", "nothing", "", "w/", "../04"])
def test_an_unknown_lesson_lists_them(lessons, wanted):
    if wanted == "../04":
        assert find(wanted).number == "04"
        return
    if wanted == "w/":
        assert find(wanted).name == "welcome"
        return
    with pytest.raises(LessonError, match=r"the lessons are:\n  00 welcome\n  04 queue_processing"):
        find(wanted)


def test_parameters_are_read_from_the_tagged_cell(lessons):
    assert find("00").parameters == {"target": "local", "seed": 0, "scale": 1, "fast": False}
    assert find("04").parameters == {}


def test_values_have_the_kind_of_the_defaults(lessons):
    given = {"target": "aws", "seed": "42", "scale": "0.1", "fast": "true"}
    assert chosen(find("00"), given) == {"target": "aws", "seed": 42, "scale": 0.1, "fast": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "00", "-p", "sclae", "1"],
            "has no parameter 'sclae'; it has: target (default 'local'), seed",
        ),
        (["run", "04", "--seed", "1"], "has no parameter 'seed'; it has: none"),
        (["run", "00", "-p", "scale", "much"], "scale is 'much'; it must be a number, such as 1"),
        (["run", "00", "-p", "fast", "yes"], "fast is 'yes'; it can be true or false"),
        (["run", "09"], "there is no lesson '09'; the lessons are:"),
        (["outputs", "09"], "there is no lesson '09'"),
        (["start", "09"], "there is no lesson '09'"),
    ],
)
def test_bad_input_is_one_message_and_status_2(lessons, capsys, arguments, message):
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_unknown_arguments_are_refused(lessons, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(["run", "00", "--scale", "1"])
    assert error.value.code == 2
    assert "unrecognized arguments: --scale 1" in capsys.readouterr().err


def test_run_writes_into_build_and_never_over_the_lesson(lessons, capsys):
    before = (lessons / "00_welcome.ipynb").read_bytes()
    assert cli.main(["run", "00", "-p", "scale", "0.5", "--seed", "7"]) == 0
    out = capsys.readouterr().out
    assert "section" in out
    assert "Greet" in out
    ran = Lesson(paths.BUILD / "runs" / "00_welcome.ipynb").read()
    first = next(output for cell in ran.cells for output in cell.get("outputs", []))
    assert first.text == "hello 7 0.5 local\n"
    assert (lessons / "00_welcome.ipynb").read_bytes() == before
    with pytest.raises(LessonError, match="never writes over"):
        notebooks.run(find("00"), {}, lessons / "00_welcome.ipynb")


def test_a_failing_lesson_says_where(lessons, capsys):
    assert cli.main(["run", "04"]) == 1
    captured = capsys.readouterr()
    assert "raised ZeroDivisionError: division by zero\n  in section: Break" in captured.err
    assert "04_queue_processing.ipynb" in captured.out


def test_outputs_are_regenerated_in_place_and_normalised(lessons, capsys):
    (lessons.parent / "README.md").write_text("# Lessons\n\n| 07 | [Old](gone) | what | 5 minutes |\n")
    assert cli.main(["outputs", "00"]) == 0
    written = find("00").read()
    assert problems(written) == []
    cells = [cell for cell in written.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3]
    assert cells[0].metadata == {"tags": ["parameters"]}
    assert cells[1].outputs[0].text == "hello 0 1 local\n"
    assert cells[2].outputs[0].data == {"text/plain": "2"}
    assert (lessons.parent / "README.md").read_text() == (
        "# Lessons\n\n| 00 | [Say hello](notebooks/00_welcome.ipynb) |  |  |\n"
        "| 04 | [Fail](notebooks/04_queue_processing.ipynb) |  |  |\n"
    )
    first = (lessons / "00_welcome.ipynb").read_bytes()
    assert cli.main(["outputs", "00"]) == 0
    assert (lessons / "00_welcome.ipynb").read_bytes() == first
    assert [path.name for path in lessons.iterdir() if path.name.startswith(".")] == []


def test_only_words_can_be_written(lessons, capsys):
    path = lessons / "00_welcome.ipynb"
    written = find("00").read()
    written.cells.append(new.new_markdown_cell("The end."))
    nbformat.write(written, path)
    assert cli.main(["outputs", "00", "--words"]) == 0
    again = find("00").read()
    assert again.cells[-1].source == "The end.\n\n**Next:** [Fail](04_queue_processing.ipynb)."
    assert not any(cell.get("outputs") for cell in again.cells)


def test_outputs_of_a_failing_lesson_change_nothing(lessons, capsys):
    before = (lessons / "04_queue_processing.ipynb").read_bytes()
    assert cli.main(["outputs", "04"]) == 1
    assert "04_queue_processing is unchanged: a cell raised ZeroDivisionError" in capsys.readouterr().err
    assert (lessons / "04_queue_processing.ipynb").read_bytes() == before


def test_a_notebook_without_outputs_does_not_pass(lessons):
    assert "no cell has an output: run `workshop outputs`" in problems(find("00").read())


def test_problems_of_outputs():
    cells = [code("a"), code("b"), code("c")]
    written = notebook(*cells)
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
    cells[0].outputs = [new.new_output("stream", name="stderr", text="Warning: old\n")]
    cells[1].outputs = [
        new.new_output("execute_result", data={"text/plain": "<Figure size 640x480 with 1 Axes>"}),
        new.new_output("execute_result", data={"text/plain": f"<thing at 0x7f3a12bc> {paths.ROOT}/x"}),
    ]
    cells[2].outputs = [new.new_output("error", ename="KeyError", evalue="'x'", traceback=[])]
    normalise(written)
    assert [problem.partition(":")[0] for problem in problems(written)] == [
        "cell [1] writes to stderr",
        "cell [2] has the text of a figure",
        "cell [2] has an object's address, which differs in every run",
        "cell [2] shows a path of this machine",
        "cell [3] ends with KeyError",
    ]
    cells[2].execution_count = 7
    assert problems(written)[0] == "the execution counts are [1, 2, 7], not 1 to 3: run `workshop outputs`"


def test_sections_are_second_level_headings():
    cells = [
        code("0"),
        new.new_markdown_cell("# T\n\n## A"),
        code("1"),
        new.new_markdown_cell("### a"),
        code("2"),
    ]
    assert [(name, len(found)) for name, found in split(notebook(*cells))] == [("start", 1), ("A", 4)]


def test_start_becomes_jupyterlab_in_the_lesson(lessons, handed, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    assert cli.main(["start", "04", "--no-browser"]) == 0
    ((command, environment),) = handed
    assert command[1:3] == ["-m", "jupyterlab"]
    assert any(part.endswith("notebooks/04_queue_processing.ipynb") for part in command)
    assert command[-1] == "--no-browser"
    assert environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[1] == "/mine"
    assert (paths.LABS / "toolkit/jupyter/labconfig/default_setting_overrides.json").is_file()


def test_validate_is_everything_or_what_is_tested_of_some_lessons(lessons, handed, monkeypatch):
    monkeypatch.chdir(paths.ROOT)
    assert cli.main(["validate"]) == 0
    assert cli.main(["validate", "-k", "kernel", "-x"]) == 0
    assert cli.main(["validate", "04", "welcome", "-x"]) == 0
    assert [command[3:] for command, _ in handed] == [
        [],
        ["-k", "kernel", "-x"],
        ["tests/notebooks", "-k", "queue_processing or welcome", "-x"],
    ]


def test_progress_lists_the_exercises_and_says_where_to_go_on(lessons, capsys, monkeypatch, tmp_path):
    record = Record(tmp_path / "progress.json")
    monkeypatch.setattr("labs.toolkit.record.FILE", record.path)
    monkeypatch.setattr("labs.toolkit.record.Record", lambda: record)
    record.attempted("welcome.first_message", right=True, hints=1, solution=False)
    record.attempted("queue_processing.partial_batch", right=False, hints=0, solution=False)
    assert cli.main(["progress"]) == 0
    out = capsys.readouterr().out
    assert "00 Say hello: 1 of 1 exercises\n   ✔ welcome.first_message: passed on 2" in out
    assert "1 attempt, with 1 hint\n" in out
    assert "   ✘ queue_processing.partial_batch: not passed yet, 1 attempt\n" in out
    assert "   ○ queue_processing.queue_settings: not attempted\n" in out
    assert out.endswith("Go on with `workshop start 04`.\n")
