"""``python -m tests.benchmarks queue --messages 5000 [--against ministack]``: one line of JSON."""

from __future__ import annotations

import argparse
import json

from . import burst, idle, ministack, queue


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=["queue", "idle", "burst"])
    parser.add_argument("--messages", type=int, default=5_000, help="how many (queue)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--against", choices=["ministack"], help="measure this as well, in the same run (queue)"
    )
    arguments = parser.parse_args()
    if arguments.name == "idle":
        result = idle.run()
    elif arguments.name == "burst":
        result = burst.run()
    else:
        result = queue.run(arguments.messages, arguments.seed)
        if arguments.against:
            result |= ministack.run_queue(arguments.messages)
            result["times_ministack"] = round(
                result["messages_per_s"] / result["ministack_messages_per_s"], 1
            )
    print(json.dumps(result))


main()
