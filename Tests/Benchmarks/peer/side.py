"""One side of a comparison: a program that does something whenever it is asked to, so that nothing is loaded twice."""

import json
import subprocess
import tempfile
from pathlib import Path


class Side:
    """Starts when it is first asked. Every line to the program is answered with a number; when no more come, it writes its figures.

    `stays=False` is for sides too large to be in memory together: each ends when it has had its turn.
    """

    def __init__(self, command: list[str], stays: bool = True) -> None:
        self.command = command
        self.stays = stays
        self.figures: list[dict] = []
        self.process: subprocess.Popen | None = None
        self.folder: tempfile.TemporaryDirectory | None = None

    def start(self) -> None:
        if self.process:
            return
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [*self.command, "--wait", "--output", str(self.output)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if (line := self.read()) != "ready":
            raise SystemExit(f"{' '.join(self.command)} says {line!r} instead of ready")

    @property
    def output(self) -> Path:
        return Path(self.folder.name) / "figures.json"

    def read(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended with code {self.process.wait()}")
        return line.strip()

    def ask(self, request: str) -> float:
        self.start()
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return float(self.read())

    def rest(self) -> None:
        """Its turn is over."""
        if not self.stays:
            self.close()

    def close(self) -> None:
        """Keeps what it says of all it did."""
        if not self.process:
            return
        self.process.stdin.close()
        if code := self.process.wait():
            raise SystemExit(f"{' '.join(self.command)} ended with code {code}")
        self.process.stdout.close()
        self.figures.append(json.loads(self.output.read_text()))
        self.folder.cleanup()
        self.process = None
