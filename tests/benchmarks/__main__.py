"""``python -m tests.benchmarks queue --messages 5000 [--against ministack]``: one line of JSON."""

from __future__ import annotations

import argparse
import json

from . import burst, idle, ministack, queue, schedule


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=["queue", "idle", "burst", "schedule"])
    parser.add_argument("--messages", type=int, help="how many (queue: 5,000; schedule: a year of ticks)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--against", choices=["ministack"], help="measure this as well, in the same run (queue)"
    )
    arguments = parser.parse_args()
    if arguments.name == "idle":
        result = idle.run()
    elif arguments.name == "burst":
        result = burst.run()
    elif arguments.name == "schedule":
        result = schedule.run(arguments.messages or schedule.YEAR, arguments.seed)
    else:
        messages = arguments.messages or 5_000
        result = queue.run(messages, arguments.seed)
        if arguments.against:
            result |= ministack.run_queue(messages)
            result["times_ministack"] = round(
                result["messages_per_s"] / result["ministack_messages_per_s"], 1
            )
    print(json.dumps(result))


main()
