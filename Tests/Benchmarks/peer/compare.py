"""Shoal against PyTorch, tokenizers and image processors, in turns on this machine, and a table of what came out.

    python compare.py [--cases bfloat16 float32-adapters equal float32 tokenizer images vision all-layers] [--rounds 2] [--steps 3]

Run by a Python that has what requirements.txt names, from the folder of Package.swift, after `swift build` has made
.build/release/benchmark (`make benchmark-peer` does both). Every case goes A B A B: one run of Shoal, one of the peer, again.
Figures are medians over the rounds. The table goes to stdout and to a file in results/, named by date and processor.
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

PEER = Path(__file__).resolve().parent
PAIRS = 8


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


STEPS = {
    "bfloat16": StepCase("4 of 36 layers, bfloat16"),
    "float32-adapters": StepCase("4 of 36 layers, bfloat16, PyTorch's adapters in float32, as Shoal's are", adapters="float32"),
    "equal": StepCase("4 of 36 layers, bfloat16, every text 128 tokens", equal=128),
    "float32": StepCase("4 of 36 layers, float32", dtype="float32"),
    "all-layers": StepCase("36 layers, bfloat16", layers=36, steps=1),
}


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", nargs="+", choices=[*STEPS, *OTHERS])
    parser.add_argument("--rounds", type=int, default=2, help="runs of each side")
    parser.add_argument("--steps", type=int, default=3, help="timed steps of a run")
    parser.add_argument("--benchmark", default=".build/release/benchmark", help="Shoal's side")
    parser.add_argument("--python", default=sys.executable, help="what runs the peer's side")
    parser.add_argument("--output", type=Path, help="the table's file")
    arguments = parser.parse_args()
    arguments.cases = arguments.cases or usual_cases(arguments.python)
    return arguments


def usual_cases(python: str) -> list[str]:
    """Those that this Python can do, without the longest."""
    left_out = {"vision", "all-layers"}
    if subprocess.run([python, "-c", "import torchvision"], capture_output=True).returncode:
        print("without images, for which Python needs the torchvision that fits its torch", file=sys.stderr)
        left_out.add("images")
    return [name for name in [*STEPS, *OTHERS] if name not in left_out]


class Runner:
    """Runs one side after the other, collects their figures, and watches for other work on the machine."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.versions: dict[str, str] = {}
        self.machine = ""
        self.busiest = 0.0

    def figures(self, command: list[str]) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "figures.json"
            before, start = self.others(), time.monotonic()
            subprocess.run([*command, "--output", str(output)], check=True, stdout=subprocess.DEVNULL)
            self.busiest = max(self.busiest, (self.others() - before) / (time.monotonic() - start))
            figures = json.loads(output.read_text())
        self.versions |= figures.get("versions", {})
        if "processor" in figures:
            self.machine = f"{figures['processor']}, {figures['cores']} cores"
        print(f"  {Path(command[0]).name} {command[1]}: {summary(figures)}", file=sys.stderr, flush=True)
        return figures

    def rounds(self, shoal: list[str], peer: list[str]) -> tuple[list[dict], list[dict]]:
        runs = [(self.figures(shoal), self.figures(peer)) for _ in range(self.arguments.rounds)]
        return [run[0] for run in runs], [run[1] for run in runs]

    @staticmethod
    def others() -> float:
        """Seconds of processors that this program and what it started have not used."""
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return busy - sum(usage.ru_utime + usage.ru_stime for usage in own)


def summary(figures: dict) -> str:
    if "tokens_per_second" in figures:
        return f"{figures['tokens_per_second']:.1f} tokens/s"
    if "images_per_second" in figures:
        return ", ".join(f"{rates['all']:.1f} images/s" for rates in figures["images_per_second"].values())
    if "images" in figures:
        return ", ".join(f"{name}: {size['images_per_second']:.3f} images/s" for name, size in figures["images"].items())
    return ", ".join(f"{rate['median'] / 1e6:.1f} MB/s" for rate in figures["bytes_per_second"].values())


def median(runs: list[dict], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def compare_step(runner: Runner, case: StepCase) -> list[str]:
    benchmark = runner.arguments.benchmark
    equal = ["--equal", str(case.equal)] if case.equal else []
    adapters = ["--adapters", case.adapters] if case.adapters else []
    made = subprocess.run([benchmark, "generate", "--layers", str(case.layers), *equal], check=True, capture_output=True, text=True)
    model, data = made.stdout.splitlines()
    common = ["--model", model, "--data", data, "--pairs", str(PAIRS), "--steps", str(case.steps or runner.arguments.steps)]
    shoal, peer = runner.rounds(
        [benchmark, "step", *common, "--compute-dtype", case.dtype],
        [runner.arguments.python, str(PEER / "train_step.py"), *common, "--dtype", case.dtype, *adapters],
    )
    if any(run["tokens"] != shoal[0]["tokens"] for run in [*shoal, *peer]):
        raise SystemExit("the two sides counted different tokens: they did not run the same steps")
    ours, theirs = median(shoal, "tokens_per_second"), median(peer, "tokens_per_second")
    share = statistics.median(run["gflops"] / run["peak_gflops"] for run in shoal)
    return [
        case.title,
        f"{theirs:.1f}",
        f"{ours:.1f}",
        f"**{ours / theirs:.2f}**",
        f"{100 * share:.0f} %",
        f"{100 * median(peer, 'padding'):.0f} %",
        f"{median(peer, 'peak_resident_bytes') / 1e9:.1f} GB",
        f"{median(shoal, 'peak_resident_bytes') / 1e9:.1f} GB",
        f"{peer[0]['first_loss']:.3f} / {shoal[0]['first_loss']:.3f}",
    ]


def compare_tokenizer(runner: Runner) -> list[list[str]]:
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
        ours, theirs = (
            statistics.median(run["bytes_per_second"][threads]["median"] for run in side) / 1e6 for side in (shoal, peer)
        )
        text = f"{files[1].name}, {shoal[0]['bytes'] / 1e6:.1f} MB, threads: {threads}"
        rows.append([text, f"{theirs:.1f}", f"{ours:.1f}", f"**{ours / theirs:.1f}**"])
    return rows


def compare_images(runner: Runner) -> list[list[str]]:
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
            ours, theirs = (statistics.median(run["images_per_second"][threads][stage] for run in side) for side in (shoal, peer))
            rows.append([f"{stage}, threads: {threads}", f"{theirs:.1f}", f"{ours:.1f}", f"**{ours / theirs:.2f}**"])
    return rows


def compare_vision(runner: Runner) -> list[list[str]]:
    """All blocks of the tower, bfloat16."""
    benchmark = runner.arguments.benchmark
    made = subprocess.run([benchmark, "vision", "--generate"], check=True, capture_output=True, text=True)
    common = ["--model", made.stdout.strip(), "--passes", str(runner.arguments.steps)]
    shoal, peer = runner.rounds(
        [benchmark, "vision", *common, "--compute-dtype", "bfloat16"],
        [runner.arguments.python, str(PEER / "vision.py"), *common, "--dtype", "bfloat16"],
    )
    rows = []
    for name in shoal[0]["images"]:
        ours, theirs = (statistics.median(run["images"][name]["images_per_second"] for run in side) for side in (shoal, peer))
        share = statistics.median(run["images"][name]["gflops"] / run["peak_gflops"] for run in shoal)
        both = f"{peer[0]['images'][name]['magnitude']:.4f} / {shoal[0]['images'][name]['magnitude']:.4f}"
        rows.append([name, f"{theirs:.3f}", f"{ours:.3f}", f"**{ours / theirs:.2f}**", f"{100 * share:.0f} %", both])
    return rows


# What is compared beside steps: title, columns and the comparison that makes the rows.
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


def report(runner: Runner, steps: list[list[str]], others: dict[str, list[list[str]]]) -> str:
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1e6
    text = f"# Shoal and its peers, {datetime.date.today().isoformat()}\n\n{runner.machine}, {memory:.0f} GB. "
    text += ", ".join(f"{name} {version}" for name, version in runner.versions.items()) + ".\n\n"
    text += f"`Tests/Benchmarks/peer/compare.py {' '.join(sys.argv[1:])}`".replace(" `", "`")
    text += f": runs in turns, medians of {runner.arguments.rounds}.\n"
    if runner.busiest > 0.05 * os.cpu_count():
        text += f"Other processes used up to {runner.busiest:.2f} cores meanwhile: these figures are too low.\n"
    if steps:
        text += f"\n## A training step, {PAIRS} pairs, LoRA rank 32 on all linears\n\n"
        heading = ["", "PyTorch, tokens/s", "Shoal, tokens/s", "ratio", "Shoal, of the peak", "PyTorch, padding"]
        heading += ["PyTorch, peak memory", "Shoal, peak memory", "first loss, both"]
        text += table(heading, steps)
        text += "\nTokens are real ones, padding not counted. Memory is the peak resident set, mapped weights included.\n"
    for name, (title, heading, _) in OTHERS.items():
        if others.get(name):
            text += f"\n## {title}\n\n" + table(heading, others[name])
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
