"""Plots: one picture, the numbers in it as text, the same bytes every time, small files."""

import dataclasses
import io
import random
import types

import pytest
from PIL import Image

from infra.cloud.views.flow import Flow, Hop, Node
from infra.cloud.views.trace import Segment, Trace
from labs.toolkit import plots, plots_alongside, plots_flow
from labs.toolkit.figures import TimeUnit, bin_width
from labs.toolkit.flow_layout import LANE, layers, places, routes
from labs.toolkit.plots_over_time import lives

from .stepfunctions_history import PARALLEL, RETRIED, event

RNG = random.Random(1)
SENT = [RNG.uniform(0, 100) for _ in range(2000)]
LATENCIES = [RNG.lognormvariate(0, 1) for _ in SENT]


@dataclasses.dataclass
class Queue:
    """As ``cloud.queue_depth()`` gives it."""

    times: list[float]
    visible: list[int]
    in_flight: list[int]
    delayed: list[int]

    def age(self):
        return self.times, self.times


@dataclasses.dataclass
class Life:
    """As ``cloud.environments()`` gives it."""

    id: str
    started: float
    ended: float | None
    spans: list


@dataclasses.dataclass
class Span:
    start: float
    end: float
    kind: str


FLOW = Flow(
    [
        Node("notebook", "caller"),
        Node("Orders", "queue"),
        Node("Worker", "function", 12, 2),
        Node("Failed", "queue"),
    ],
    [
        Hop("notebook", "Orders", "messages", 12),
        Hop("Orders", "Worker", "messages", 10, 2, 1),
        Hop("Orders", "Failed", "dead letters", 1, dead_letter=True),
        Hop("Failed", "notebook", "messages", 1),
    ],
)
TRACE = Trace(
    "1-0",
    0.0,
    [
        Segment(0, 0.01, "notebook", "call", "SendMessage Orders"),
        Segment(0.01, 0.02, "Orders", "wait", "waits"),
        Segment(0.02, 0.3, "Worker", "init", "cold start"),
        Segment(0.3, 0.5, "Worker", "run", "runs", "ValueError"),
    ],
)

QUEUE = Queue([0, 10, 90], [0, 30, 0], [0, 15, 0], [0, 5, 0])
LIVES = [
    Life("a", 0, None, [Span(1, 2, "init"), Span(2, 4, "busy")]),
    Life("b", 0, None, [Span(3, 5, "busy")]),
]

EVERY = {
    "timeline": lambda: plots.timeline(
        "A queue",
        sent=SENT,
        done=[sent + latency for sent, latency in zip(SENT, LATENCIES, strict=True)],
        queue=QUEUE,
    ),
    "latency over time": lambda: plots.latency_over_time("A tail", list(zip(SENT, LATENCIES, strict=True))),
    "compare": lambda: plots.compare_latency(
        "Faster", {"before": LATENCIES, "after": [latency / 3 for latency in LATENCIES]}
    ),
    "gantt": lambda: plots.gantt("Cold", {"e1": [(0, 1, "init"), (1, 3, "busy"), (3, 5, "idle")]}),
    "outcomes": lambda: plots.outcomes(
        "Lost", {"naive": {"processed once": 90, "lost": 10}, "fixed": {"processed once": 100}}
    ),
    "cost": lambda: plots.cost("Cheap", {"one": {"SQS": 0.4, "Lambda": 0.2}}, per="per month"),
    "throughput": lambda: plots.compare_throughput("More", {"before": SENT[:500], "after": SENT}),
    "backlog": lambda: plots.compare_backlog(
        "Shorter",
        {"before": QUEUE, "after": Queue([0, 5, 20], [0, 9, 0], [0, 1, 0], [0, 0, 0])},
    ),
    "concurrency": lambda: plots.concurrency("Two at once", {"Worker": LIVES}, limit=5),
    "bars": lambda: plots.bars("None is charged twice", {"naive": 12, "fixed": 0}, what="charged twice"),
    "groups of bars": lambda: plots.bars(
        "All or nothing",
        {"naive": {"charged": 100, "shipped": 90}, "saga": {"charged": 90, "shipped": 90}},
        what="orders",
    ),
    "event flow": lambda: plots.event_flow("Ten of twelve arrive", FLOW),
    "trace": lambda: plots.trace("A cold start takes half", TRACE),
    "execution": lambda: plots.execution("The second attempt works", RETRIED),
    "lines": lambda: plots.lines("Up", {"a": [(1, 1), (2, 4)]}, x="batch size", y="messages/s"),
}


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
def test_a_plot_is_a_small_picture_and_the_same_each_time(make):
    png = make().png()
    assert png == make().png()
    assert len(png) < 60_000
    picture = Image.open(io.BytesIO(png))
    assert picture.width == pytest.approx(7.6 * 144, abs=1)
    assert len(picture.convert("RGB").getcolors(1_000_000)) > 5, "it is blank"


def test_outside_of_a_notebook_a_plot_prints_its_numbers(capsys):
    EVERY["outcomes"]().show()
    assert capsys.readouterr().out == (
        "Plot: Lost\n       processed once  lost\nnaive              90    10\nfixed             100     0\n"
    )


def test_the_numbers_of_a_timeline():
    queue = Queue([0, 3, 5], [1, 2, 0], [1, 3, 0], [0, 1, 0])
    plot = plots.timeline("x", sent=[0, 0, 1], done=[1, 2, 130], queue=queue, bin=1)
    assert plot.table == (
        "sent            3 messages, at most 2 per second (bins of 1 s)\n"
        "processed       3 times, at most 1 per second (bins of 1 s)\n"
        "last processed  at 130 s\n"
        "deepest queue   6 messages, at 3 s\n"
        "oldest message  5 s, at 5 s"
    )


def test_the_numbers_of_a_gantt():
    plot = plots.gantt(
        "x",
        {
            "a": [(0, 1, "init"), (1, 3, "busy"), (3, 4, "idle")],
            "b": [(0, 1, "init"), (2, 3, "busy"), (3, 4, "busy")],
        },
    )
    assert plot.table == (
        "environments       2\n"
        "cold starts        2\n"
        "most busy at once  2\n"
        "busy               57 % of their time"
    )


def test_the_time_between_an_environments_spans_is_idle():
    def span(start, end, kind):
        return types.SimpleNamespace(start=start, end=end, kind=kind)

    found = lives(
        [
            Life("a", -5.0, None, [span(-1, 1, "busy"), span(2, 3, "error")]),
            Life("b", 0.0, 2.5, [span(0, 1, "init"), span(1, 2, "busy")]),
        ],
        end=4,
    )
    assert found == {
        "a": [(0, 1, "busy"), (1, 2, "idle"), (2, 3, "error"), (3, 4, "idle")],
        "b": [(0, 1, "init"), (1, 2, "busy"), (2, 2.5, "idle")],
    }
    assert plots.gantt("x", [Life("b", 0.0, None, [span(0, 1, "init")])]).table.startswith(
        "environments       1"
    )


def test_a_bill_can_be_plotted_as_it_is():
    bill = types.SimpleNamespace(by_service=lambda: {"SQS": 0.5})
    assert plots.cost("x", {"run": bill}).table == "US dollars    SQS  total\nrun         $0.50  $0.50"


def test_the_numbers_of_a_cost():
    assert EVERY["cost"]().table == (
        "US dollars per month    SQS  Lambda  total\none                   $0.40   $0.20  $0.60"
    )


def test_a_percentile_that_has_too_few_samples_is_not_drawn():
    plot = plots.latency_over_time("x", [(second, 1.0) for second in range(60)], points=(50, 99))
    assert plot.table == (
        "latency  samples  p50  p99  max\n"
        "all           60  1 s    –  1 s\n"
        "not drawn: p99, too few samples in 5 s"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: plots.timeline("Nothing happened", sent=[], done=[]),
        lambda: plots.latency_over_time("Nothing happened", []),
        lambda: plots.gantt("Nothing happened", {}),
        lambda: plots.lines("Nothing happened", {"a": []}, x="x", y="y"),
    ],
)
def test_nothing_to_show_still_shows(make):
    assert make().png()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: plots.timeline(" ", sent=[1], done=[]), ValueError, "its first argument is the finding"),
        (lambda: plots.timeline("x", sent=["1"], done=[]), TypeError, "value 0 is '1', a str"),
        (
            lambda: plots.outcomes("x", {"a": {"gone": 1}}),
            ValueError,
            "a message cannot be 'gone'; it is one of",
        ),
        (lambda: plots.gantt("x", {"a": [(0, 1, "dead")]}), ValueError, "an environment cannot be 'dead'"),
        (
            lambda: plots.compare_latency("x", {"a": [1], "b": []}),
            ValueError,
            "no latencies to compare for b",
        ),
        (
            lambda: EVERY["lines"]().save("plot.pdf"),
            ValueError,
            r"saved as \.png or \.svg, not as 'plot\.pdf'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_saving(tmp_path):
    plot = EVERY["lines"]()
    assert plot.save(tmp_path / "docs" / "a.png").read_bytes() == plot.png()
    first = plot.save(tmp_path / "a.svg").read_bytes()
    assert EVERY["lines"]().save(tmp_path / "b.svg").exists()
    assert b"<svg" in first
    assert b"dc:date" not in first


def test_units_and_bins():
    assert [TimeUnit(longest).name for longest in (0.5, 60, 3600, 86_400, 1_209_600)] == [
        "ms",
        "s",
        "min",
        "h",
        "days",
    ]
    assert [bin_width(span) for span in (5, 60, 3600, 86_400)] == [0.1, 1, 60, 900]
    assert bin_width(60, at_least=7) == 10


def test_the_tables_of_variants_side_by_side():
    assert EVERY["backlog"]().table == (
        "        deepest    at  empty at\nbefore       50  10 s      90 s\nafter        10   5 s      20 s"
    )
    assert EVERY["concurrency"]().table == (
        "        most at once  environments  cold starts  time at work\n"
        "Worker             2             2            1           5 s\n"
        "limit: 5"
    )
    assert plots.compare_throughput("x", {"a": [0.5, 0.6, 4], "b": [1]}, bin=1).table == (
        "   messages  at most (bins of 1 s)  last after\n"
        "a         3           2 per second         4 s\n"
        "b         1           1 per second         1 s"
    )


def test_a_backlog_that_stays_and_one_that_never_was():
    stays, never = Queue([0, 5], [0, 9], [0, 0], [0, 0]), Queue([0], [0], [0], [0])
    assert plots.compare_backlog("x", {"stays": stays, "never": never}).table == (
        "       deepest   at  empty at\nstays        9  5 s  not emptied\nnever        0  0 s  never filled"
    )


def test_the_tables_of_bars():
    assert EVERY["bars"]().table == "       charged twice\nnaive             12\nfixed              0"
    assert EVERY["groups of bars"]().table == (
        "       charged  shipped\nnaive      100       90\nsaga        90       90"
    )


@pytest.mark.parametrize("make", [plots.bars, plots.compare_backlog, plots.concurrency])
def test_nothing_to_draw_is_refused(make):
    with pytest.raises(ValueError, match="give at least one"):
        make("x", {}, **({"what": "orders"} if make is plots.bars else {}))


def test_the_table_of_a_flow():
    assert EVERY["event flow"]().table == (
        "from      to        what          delivered  failed  filtered\n"
        "notebook  Orders    messages             12       0         0\n"
        "Orders    Worker    messages             10       2         1\n"
        "Orders    Failed    dead letters          1       0         0\n"
        "Failed    notebook  messages              1       0         0\n"
        "\n"
        "ran               times  failed\n"
        "Worker  function     12       2"
    )


def test_a_flow_goes_from_left_to_right_and_what_goes_back_moves_nothing():
    names = ["b", "a", "c", "side"]
    assert layers(names, [("a", "b"), ("b", "c"), ("c", "a"), ("side", "c")]) == [["a"], ["b", "side"], ["c"]]


def test_arrows_that_leap_go_above_all_boxes_and_those_that_lead_back_below():
    arrows = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("c", "b")]
    found = routes(arrows, places(layers(["a", "b", "c"], arrows)))
    assert {pair: min(y for _, y in route.points) < -0.31 for pair, route in found.items()} == {
        ("a", "b"): False,
        ("b", "c"): False,
        ("a", "c"): True,
        ("c", "a"): False,
        ("c", "b"): False,
    }
    lanes = [found[pair].label[1] for pair in (("c", "a"), ("c", "b"))]
    assert lanes == pytest.approx([0.31 + LANE, 0.31 + 2 * LANE])


def test_an_arrow_of_two_kinds_is_drawn_once_and_says_both():
    plot = plots.event_flow(
        "x",
        Flow(
            [Node("Worker", "function"), Node("Marks", "table")],
            [Hop("Worker", "Marks", "reads", 10), Hop("Worker", "Marks", "writes", 7, 3)],
        ),
    )
    texts = [text.get_text() for text in plot.figure.axes[0].texts if text.get_text()]
    assert texts[:3] == ["10 reads", "7 writes", "×3"]


def test_a_flow_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was delivered"):
        plots.event_flow("x", Flow([], []))


def test_the_table_of_a_trace():
    assert plots.trace("x", TRACE, most=3).table == (
        "who       what                began after    took  outcome\n"
        "notebook  SendMessage Orders          0 s   10 ms  ok\n"
        "Orders    waits                     10 ms   10 ms  ok\n"
        "Worker    cold start                20 ms  280 ms  ok\n"
        "and 1 more segments"
    )


def test_the_table_of_an_execution():
    assert plots.execution("x", {"events": RETRIED}).table == (
        "state    type  began after   took  attempts  outcome\n"
        "Charge   Task          0 s  2.5 s         2  ok\n"
        "Release  Task        2.5 s    1 s         1  caught: Declined\n"
        "Refused  Fail        3.5 s    0 s         –  failed: Payment\n"
        "execution FAILED with Payment after 3.5 s"
    )


def test_states_inside_a_parallel_state_are_indented_and_a_stopped_branch_is_aborted():
    assert plots.execution("x", PARALLEL).table == (
        "state    type      began after  took  attempts  outcome\n"
        "Both     Parallel          0 s   1 s         –  failed: Boom\n"
        "  Left   Task              0 s   1 s         1  failed: Boom\n"
        "  Right  Wait              0 s   1 s         –  aborted\n"
        "execution FAILED with Boom after 1 s"
    )


def test_a_history_without_events_is_refused():
    with pytest.raises(ValueError, match="no events"):
        plots.execution("x", [])


def test_of_very_many_steps_the_highest_in_each_bin_is_drawn_and_the_end():
    steps = [(number / 100, float(number % 7)) for number in range(1000)]
    thin = plots_alongside._thinned(steps, 10.0)
    assert thin[0] == (0.0, 6.0)
    assert len(thin) == 101
    assert thin[-1] == steps[-1]
    assert plots_alongside._thinned(steps[:300], 3.0) == steps[:300]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Orders", ["Orders"]),
        ("OrderPlacedForWarehouse", ["OrderPlacedFor", "Warehouse"]),
        ("Second.Warehouse", ["Second.", "Warehouse"]),
        ("averyverylongname", ["averyverylong…"]),
        ("OneTwoThreeFourFiveSixSevenEight", ["OneTwoThree", "FourFiveSix…"]),
    ],
)
def test_a_name_is_broken_between_its_words(name, lines):
    assert plots_flow._wrapped(name, 14) == lines


def test_a_task_that_could_not_be_scheduled_has_failed():
    history = [
        event(1, 0, 0, "ExecutionStarted"),
        event(2, 0, 0, "TaskStateEntered", name="Charge"),
        event(3, 2, 0.1, "LambdaFunctionScheduleFailed", error="Lambda.Unknown"),
        event(4, 3, 0.1, "ExecutionFailed", error="Lambda.Unknown"),
    ]
    assert plots.execution("x", history).table.splitlines()[1:] == [
        "Charge  Task          0 s  100 ms         1  failed: Lambda.Unknown",
        "execution FAILED with Lambda.Unknown after 100 ms",
    ]


def test_two_amounts_in_a_title_are_not_a_formula():
    title = "$95 instead of $94"
    for shown in (
        plots.bars(title, {"one": 1, "two": 2}, what="orders"),
        plots.lines(title, {"one": [(0, 1), (1, 2)]}, x="x", y="y"),
    ):
        (text,) = shown.figure.findobj(lambda artist: getattr(artist, "get_text", str)() == title)
        assert not text.get_parse_math()
