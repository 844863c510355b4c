"""Shoal against PyTorch, tokenizers and image processors, in turns on this machine, and a table of what came out.

    python compare.py [--cases bfloat16 float32-adapters equal float32 float32-equal tokenizer images vision all-layers]
                      [--rounds 6] [--steps 3]

Run by a Python that has what requirements.txt names, from the folder of Package.swift, after `swift build` has made
.build/release/benchmark (`make benchmark-peer` does both).

Steps and the vision tower: both sides are loaded once and then wait. A peak of the machine, one repetition of Shoal, a peak, one of the
peer, and so on: a machine that is slow for some seconds cannot be slow for one side alone, and the peaks say whether it was. The same
few steps are repeated, so that each has a best and a median. Tokenizers and image files: one run of Shoal, one of the peer, again, and
best and median of the passes of all runs. The table goes to stdout and to a file in results/, named by date and processor.
"""

import argparse
import dataclasses
import datetime
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side import Side
from statistic import Statistic
from turns import Turns

PEER = Path(__file__).resolve().parent
PAIRS = 8
VISION_SIZES = ["448x448", "672x896"]


@dataclasses.dataclass(frozen=True)
class StepCase:
    """A training step of 8 pairs in the layer shapes of jina-embeddings-v4."""

    title: str
    layers: int = 4
    dtype: str = "bfloat16"
    equal: int | None = None
    steps: int | None = None
    # Of the peer; None: as dtype, which is its fastest.
    adapters: str | None = None
    # Whether memory holds both sides at a time.
    fits: bool = True


STEPS = {
    "bfloat16": StepCase("4 of 36 layers, bfloat16"),
    "float32-adapters": StepCase("4 of 36 layers, bfloat16, PyTorch's adapters in float32, as Shoal's are", adapters="float32"),
    "equal": StepCase("4 of 36 layers, bfloat16, every text 128 tokens", equal=128),
    "float32": StepCase("4 of 36 layers, float32", dtype="float32"),
    "float32-equal": StepCase("4 of 36 layers, float32, every text 128 tokens", dtype="float32", equal=128),
    "all-layers": StepCase("36 layers, bfloat16", layers=36, steps=1, fits=False),
}


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", nargs="+", choices=[*STEPS, *OTHERS])
    parser.add_argument("--rounds", type=int, default=6, help="repetitions of each step of each side, and runs of tokenizers and images")
    parser.add_argument("--steps", type=int, default=3, help="different steps")
    parser.add_argument("--layers", type=int, help="of the checkpoint, instead of those of each case")
    parser.add_argument("--patches", type=int, default=4096, help="of a pass of the vision tower")
    parser.add_argument("--benchmark", default=".build/release/benchmark", help="Shoal's side")
    parser.add_argument("--python", default=sys.executable, help="what runs the peer's side")
    parser.add_argument("--output", type=Path, help="the table's file")
    arguments = parser.parse_args()
    arguments.cases = arguments.cases or usual_cases(arguments.python)
    return arguments


def usual_cases(python: str) -> list[str]:
    """Those that this processor and this Python can do, without the longest."""
    left_out = {"vision", "all-layers"}
    if not re.search(r"\bavx512_bf16\b", Path("/proc/cpuinfo").read_text()):
        left_out |= {name for name, case in STEPS.items() if case.dtype == "bfloat16"}
    if subprocess.run([python, "-c", "import torchvision"], capture_output=True).returncode:
        print("without images, for which Python needs the torchvision that fits its torch", file=sys.stderr)
        left_out.add("images")
    return [name for name in [*STEPS, *OTHERS] if name not in left_out]


class Runner:
    """Runs both sides, collects their figures, and watches for other work on the machine."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.versions: dict[str, str] = {}
        self.machine = ""
        self.busiest = 0.0

    def turns(self, shoal: list[str], peer: list[str], requests: list[str], fits: bool = True) -> tuple[Turns, list[dict], list[dict]]:
        """What was done in turns, and the figures that each side wrote in the end."""
        ours, theirs = Side(shoal, fits), Side(peer, fits)
        before, start = self.others(), time.monotonic()
        turns = Turns(ours, theirs, requests, self.arguments.rounds)
        self.watch(before, start)
        for figures in [*ours.figures, *theirs.figures]:
            self.note(figures)
        print(f"  {turns.text}", file=sys.stderr, flush=True)
        return turns, ours.figures, theirs.figures

    def rounds(self, shoal: list[str], peer: list[str]) -> tuple[list[dict], list[dict]]:
        """The figures of a run of each side, and again."""
        runs = [(self.figures(shoal), self.figures(peer)) for _ in range(self.arguments.rounds)]
        return [run[0] for run in runs], [run[1] for run in runs]

    def figures(self, command: list[str]) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "figures.json"
            before, start = self.others(), time.monotonic()
            subprocess.run([*command, "--output", str(output)], check=True, stdout=subprocess.DEVNULL)
            self.watch(before, start)
            figures = json.loads(output.read_text())
        self.note(figures)
        return figures

    def note(self, figures: dict) -> None:
        self.versions |= figures.get("versions", {})
        if "processor" in figures:
            self.machine = f"{figures['processor']}, {figures['cores']} cores"

    def watch(self, before: float, start: float) -> None:
        """Every child that was started since must have ended."""
        self.busiest = max(self.busiest, (self.others() - before) / (time.monotonic() - start))

    @staticmethod
    def others() -> float:
        """Seconds of processors that this program and what it started have not used."""
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return busy - sum(usage.ru_utime + usage.ru_stime for usage in own)


def gigabytes(runs: list[dict]) -> str:
    return f"{max(run['peak_resident_bytes'] for run in runs) / 1e9:.1f} GB"


def compare_step(runner: Runner, case: StepCase) -> tuple[list[str], str]:
    """A row of the table, and what the peaks say."""
    arguments = runner.arguments
    layers, steps = str(arguments.layers or case.layers), case.steps or arguments.steps
    equal = ["--equal", str(case.equal)] if case.equal else []
    adapters = ["--adapters", case.adapters] if case.adapters else []
    made = subprocess.run([arguments.benchmark, "generate", "--layers", layers, *equal], check=True, capture_output=True, text=True)
    model, data = made.stdout.splitlines()
    common = ["--model", model, "--data", data, "--pairs", str(PAIRS), "--steps", str(steps)]
    turns, shoal, peer = runner.turns(
        [arguments.benchmark, "step", *common, "--compute-dtype", case.dtype],
        [arguments.python, str(PEER / "train_step.py"), *common, "--dtype", case.dtype, *adapters],
        ["step"] * steps,
        case.fits,
    )
    tokens = shoal[0]["tokens"]
    if any(run["tokens"] != tokens for run in [*shoal, *peer]):
        raise SystemExit("the two sides counted different tokens: they did not run the same steps")
    ours, theirs = Statistic.rate(tokens, turns.ours), Statistic.rate(tokens, turns.theirs)
    title = case.title.replace(f"{case.layers} of 36", f"{layers} of 36") if arguments.layers else case.title
    row = [
        title,
        theirs.text(1),
        ours.text(1),
        (ours / theirs).ratio,
        (ours * shoal[0]["operations_per_token"] / Statistic.of(turns.peaks)).share,
        f"{100 * peer[0]['padding']:.0f} %",
        gigabytes(peer),
        gigabytes(shoal),
        f"{peer[0]['first_loss']:.3f} / {shoal[0]['first_loss']:.3f}",
    ]
    return row, f"{title}: {turns.text}"


def in_runs(runs: list[dict], rates: str, *keys: str) -> Statistic:
    """The best pass of all runs, and the median of their medians."""
    found = []
    for run in runs:
        value = run[rates]
        for key in keys:
            value = value[key]
        found.append(value)
    return Statistic(max(value["best"] for value in found), statistics.median(value["median"] for value in found))


def compare_tokenizer(runner: Runner) -> tuple[list[list[str]], str]:
    folder = Path(os.environ.get("SHOAL_TEST_DATA", "../shared/data"))
    files = [folder / "qwen2.5-tokenizer/tokenizer.json.gz", folder / "retrieval/medquad-train.jsonl.gz"]
    if not all(file.exists() for file in files):
        files = [Path("examples/jina-tiny/tokenizer.json"), Path("examples/python-stdlib/train.jsonl.gz")]
    common = ["--tokenizer", str(files[0]), "--rows", str(files[1]), "--threads", "1", "2"]
    shoal, peer = runner.rounds(
        [runner.arguments.benchmark, "tokenizer", *common],
        [runner.arguments.python, str(PEER / "tokenizer.py"), *common],
    )
    rows = []
    for threads in ("1", "2"):
        ours, theirs = (in_runs(side, "bytes_per_second", threads) * 1e-6 for side in (shoal, peer))
        text = f"{files[1].name}, {shoal[0]['bytes'] / 1e6:.1f} MB, threads: {threads}"
        rows.append([text, theirs.text(1), ours.text(1), (ours / theirs).ratio])
    return rows, ""


def compare_images(runner: Runner) -> tuple[list[list[str]], str]:
    data = Path(os.environ.get("SHOAL_TEST_DATA", "../shared/data")) / "images"
    real = [data / name for name in ("pages", "documents", "photos", "derived")]
    folders = real if data.exists() else [Path("Tests/Golden/images/files")]
    common = ["--threads", "1", "2", "--folders", *map(str, folders)]
    shoal, peer = runner.rounds(
        [runner.arguments.benchmark, "images", *common],
        [runner.arguments.python, str(PEER / "images.py"), *common],
    )
    rows = []
    for threads, stages in shoal[0]["images_per_second"].items():
        for stage in stages:
            ours, theirs = (in_runs(side, "images_per_second", threads, stage) for side in (shoal, peer))
            rows.append([f"{stage}, threads: {threads}", theirs.text(1), ours.text(1), (ours / theirs).ratio])
    return rows, ""


def compare_vision(runner: Runner) -> tuple[list[list[str]], str]:
    """All blocks of the tower, bfloat16."""
    arguments = runner.arguments
    made = subprocess.run([arguments.benchmark, "vision", "--generate"], check=True, capture_output=True, text=True)
    common = ["--model", made.stdout.strip(), "--patches", str(arguments.patches)]
    turns, (shoal,), (peer,) = runner.turns(
        [arguments.benchmark, "vision", *common, "--compute-dtype", "bfloat16"],
        [arguments.python, str(PEER / "vision.py"), *common, "--dtype", "bfloat16"],
        VISION_SIZES,
    )
    rows = []
    for name, *seconds in zip(VISION_SIZES, turns.ours, turns.theirs, strict=True):
        size = shoal["images"][name]
        ours, theirs = (Statistic.rate([size["images"]], [side]) for side in seconds)
        share = ours * (size["operations"] / size["images"]) / Statistic.of(turns.peaks)
        both = f"{peer['images'][name]['magnitude']:.4f} / {size['magnitude']:.4f}"
        rows.append([name, theirs.text(3), ours.text(3), (ours / theirs).ratio, share.share, both])
    return rows, turns.text


# What is compared beside steps: title, columns and the comparison that makes the rows and says what the peaks do.
OTHERS = {
    "tokenizer": ("Tokenizer", ["", "tokenizers, MB/s", "Shoal, MB/s", "ratio"], compare_tokenizer),
    "images": ("Image files to patches", ["", "Pillow, torch, transformers, images/s", "Shoal, images/s", "ratio"], compare_images),
    "vision": (
        "Images through the vision tower, 32 blocks, bfloat16",
        ["pixels", "PyTorch, images/s", "Shoal, images/s", "ratio", "Shoal, of the peak", "mean magnitude of features, both"],
        compare_vision,
    ),
}


def table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---"] + ["---:"] * (len(heading) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def report(runner: Runner, steps: list[tuple[list[str], str]], others: dict[str, tuple[list[list[str]], str]]) -> str:
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1e6
    text = f"# Shoal and its peers, {datetime.date.today().isoformat()}\n\n{runner.machine}, {memory:.0f} GB. "
    text += ", ".join(f"{name} {version}" for name, version in runner.versions.items()) + ".\n\n"
    text += f"`Tests/Benchmarks/peer/compare.py {' '.join(sys.argv[1:])}`".replace(" `", "`")
    text += f": sides in turns, best of {runner.arguments.rounds} repetitions, medians in brackets.\n"
    if runner.busiest > 0.05 * os.cpu_count():
        text += f"Other processes used up to {runner.busiest:.2f} cores meanwhile: these figures are too low.\n"
    if steps:
        text += f"\n## A training step, {PAIRS} pairs, LoRA rank 32 on all linears\n\n"
        heading = ["", "PyTorch, tokens/s", "Shoal, tokens/s", "ratio", "Shoal, of the peak", "PyTorch, padding"]
        heading += ["PyTorch, peak memory", "Shoal, peak memory", "first loss, both"]
        text += table(heading, [row for row, _ in steps])
        text += "\nTokens are real ones, padding not counted. Memory is the peak resident set, mapped weights included.\n\n"
        text += "".join(f"- {sentence}\n" for _, sentence in steps)
    for name, (title, heading, _) in OTHERS.items():
        if name in others:
            rows, sentence = others[name]
            text += f"\n## {title}\n\n" + table(heading, rows) + (f"\n- {sentence}\n" if sentence else "")
    return text


def main() -> None:
    arguments = settings()
    runner = Runner(arguments)
    steps, others = [], {}
    for name in arguments.cases:
        print(name, file=sys.stderr, flush=True)
        if name in OTHERS:
            others[name] = OTHERS[name][2](runner)
        else:
            steps.append(compare_step(runner, STEPS[name]))
    text = report(runner, steps, others)
    processor = re.sub(r"[^a-z0-9]+", "-", runner.machine.lower()).strip("-") or "unknown"
    output = arguments.output or PEER.parent / "results" / f"{datetime.date.today().isoformat()}-{processor}.md"
    output.write_text(text)
    print(f"{text}\n{output}")


if __name__ == "__main__":
    main()
