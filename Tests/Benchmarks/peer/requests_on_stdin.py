"""What a peer does when another program decides when."""

import sys
from collections.abc import Callable


def serve(answers: dict[str, Callable[[], float]]) -> None:
    """Says `ready`, then answers every line on stdin with a number, until stdin ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(answers[line.strip()](), flush=True)
