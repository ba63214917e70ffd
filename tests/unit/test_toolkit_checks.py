"""Self-checks, errors on show, the source on show, and the proof of a clean end."""

import pytest
from botocore.exceptions import ClientError

from labs.toolkit import expect, left_over, nothing_left, shows_error, tables
from labs.toolkit import source as source_module
from labs.toolkit.source import find, pick, show_source, source

from .toolkit_cloud import FakeCloud


def client_error(code, message):
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetQueueUrl")


def test_expect_says_what_it_saw(capsys):
    expect("every order is processed", seen=1000, expected=1000)
    expect("every order is processed", seen=980, expected=1000)
    expect("p99 stays low", seen=0.25, at_most=1, show=tables.seconds)
    expect("p99 stays low", seen=2.5, at_least=0.5, at_most=1, show=tables.seconds)
    expect("there is a reply", seen=None, at_least=1)
    expect("it is on", seen=True)
    expect("it is on", seen=[])
    assert capsys.readouterr().out.splitlines() == [
        "✔ every order is processed: 1,000",
        "✘ every order is processed: saw 980, expected 1,000",
        "✔ p99 stays low: 250 ms, at most 1 s",
        "✘ p99 stays low: saw 2.5 s, expected at least 500 ms and at most 1 s",
        "✘ there is a reply: saw nothing, expected at least 1",
        "✔ it is on",
        "✘ it is on",
    ]


def test_an_expected_error_is_shown(capsys):
    with shows_error("AWS.SimpleQueueService.NonExistentQueue"):
        raise client_error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    with shows_error("NonExistentQueue", "Other"):
        raise client_error("AWS.SimpleQueueService.NonExistentQueue", "No.")
    with shows_error("LookupError"):
        raise KeyError("x")
    assert capsys.readouterr().out == (
        "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.\n"
        "AWS.SimpleQueueService.NonExistentQueue: No.\n"
        "KeyError: 'x'\n"
    )


def test_an_error_that_does_not_come_is_a_failure():
    message = "expected QueueDoesNotExist, but nothing was raised"
    with pytest.raises(AssertionError, match=message), shows_error("QueueDoesNotExist"):
        pass


def test_another_error_is_not_swallowed():
    with pytest.raises(ClientError, match="AccessDenied"), shows_error("QueueDoesNotExist"):
        raise client_error("AccessDenied", "no")
    with pytest.raises(ZeroDivisionError), shows_error("Exception"):
        raise ZeroDivisionError


def test_the_error_must_be_named():
    with pytest.raises(TypeError, match="name the error that must be shown"), shows_error():
        pass


MODULE = '''\
"""A handler."""

# How long to wait.
LIMIT: int = 3


@decorated
def handler(event):
    return event


class Worker:
    def run(self):
        return 1
'''


def test_a_definition_is_picked_with_comment_and_decorator():
    assert pick(MODULE, "handler") == "@decorated\ndef handler(event):\n    return event"
    assert pick(MODULE, "LIMIT") == "# How long to wait.\nLIMIT: int = 3"
    assert pick(MODULE, "Worker.run") == "def run(self):\n    return 1"
    with pytest.raises(LookupError, match="defines no 'nothing'; it defines: LIMIT, handler, Worker"):
        pick(MODULE, "nothing")


def test_source_of_a_file_and_of_a_class(capsys):
    title, code, language = source("labs/toolkit/paths.py", "relative")
    assert (title, language) == ("labs/toolkit/paths.py: relative", "python")
    assert code.startswith("def relative(path: Path) -> str:")
    assert source(FakeCloud)[0] == "tests/unit/toolkit_cloud.py: FakeCloud"
    assert source("labs/toolkit/workshop.mplstyle")[2] == "text"
    show_source("labs/toolkit/paths.py", "ROOT")
    assert capsys.readouterr().out == (
        "**labs/toolkit/paths.py: ROOT**\n\n```python\nROOT = Path(__file__).resolve().parents[2]\n```\n"
    )


def test_code_with_a_fence_gets_a_longer_one():
    assert source_module.display.fenced("a = '```'", "python") == "````python\na = '```'\n````"


def test_a_missing_file_names_its_neighbours():
    with pytest.raises(
        FileNotFoundError, match=r"no file labs/toolkit/path\.py .* labs/toolkit has: paths\.py"
    ):
        find("labs/toolkit/path.py")
    with pytest.raises(FileNotFoundError, match=r"workshop; labs has: toolkit"):
        find("labs/tolkit/paths.py")
    with pytest.raises(LookupError, match="is not Python"):
        source("labs/toolkit/workshop.mplstyle", "x")


class Lister:
    """A boto3 client that lists; the given names in pages of one."""

    def __init__(self, key, items, pages=True):
        self.key = key
        self.items = items
        self.pages = pages

    def can_paginate(self, operation):
        return self.pages

    def get_paginator(self, operation):
        return self

    def paginate(self):
        return [{self.key: [item]} for item in self.items] or [{self.key: []}]

    def __getattr__(self, operation):
        return lambda: {self.key: self.items} if self.items else {}


def test_nothing_left(capsys):
    cloud = FakeCloud(sqs=Lister("QueueUrls", [], pages=False), dynamodb=Lister("TableNames", []))
    assert nothing_left(cloud, kinds=("queues",), also=("tables",))
    assert capsys.readouterr().out == "✔ nothing is left: 0 queues, 0 tables\n"


def test_what_is_left_is_named(capsys):
    cloud = FakeCloud(
        sqs=Lister("QueueUrls", ["https://sqs/1/Shop-Queue-1", "https://sqs/1/Shopping-Queue"], pages=False),
        cloudformation=Lister(
            "StackSummaries",
            [
                {"StackName": "Shop", "StackStatus": "DELETE_COMPLETE"},
                {"StackName": "Shop", "StackStatus": "DELETE_FAILED"},
            ],
        ),
    )
    assert left_over(cloud, kinds=("queues",)) == {"queues": ["Shop-Queue-1", "Shopping-Queue"]}
    assert not nothing_left(cloud, "Shop", kinds=("stacks", "queues"))
    assert capsys.readouterr().out == (
        "✘ 2 resources of Shop are still there:\n"
        "kind    left  names\n"
        "stacks     1  Shop\n"
        "queues     1  Shop-Queue-1\n"
    )


def test_asking_for_too_much():
    with pytest.raises(ValueError, match="unknown kind 'queue'; it can be: stacks, queues"):
        left_over(FakeCloud(), kinds=("queue",))
    real = FakeCloud()
    real.simulated = False
    with pytest.raises(ValueError, match="in a real account, name the app"):
        left_over(real)
