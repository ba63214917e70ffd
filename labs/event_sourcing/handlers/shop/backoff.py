"""How long to wait before deciding again: a random time, so that those who met do not meet again."""

import random
import time


def pause(attempt):
    """Full jitter: anything up to a limit that doubles with each attempt, at most half a second."""
    time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))
