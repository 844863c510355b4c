"""The peer of `benchmark tokenizer`: Hugging Face's tokenizers over the same text.

    python tokenizer.py --tokenizer tokenizer.json[.gz] --rows PAIRS.jsonl[.gz] [--threads 1 2]

Encodes the text under "positive" of every row in one batch, without offsets (the library's fastest call). Each number of threads is
timed in a process of its own, because the library reads it once; printed are the first pass, and best and median of five more.
"""

import argparse
import dataclasses
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from statistic import Statistic


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, help="where the figures go, JSON")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def read(path: Path) -> str:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return file.read()


def measure(arguments: argparse.Namespace) -> dict:
    """Bytes a second in this process."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_str(read(arguments.tokenizer))
    texts = [row["positive"] for row in map(json.loads, read(arguments.rows).splitlines()) if row.get("positive") is not None]
    count = sum(len(text.encode()) for text in texts)
    rates = []
    for _ in range(6):
        start = time.perf_counter()
        tokenizer.encode_batch_fast(texts)
        rates.append(count / (time.perf_counter() - start))
    return {"version": tokenizers.__version__, "bytes": count, "first": rates[0]} | dataclasses.asdict(Statistic.of(rates[1:]))


def main() -> None:
    arguments = settings()
    if arguments.once:
        print(json.dumps(measure(arguments)))
        return
    rates = {}
    for threads in arguments.threads:
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
        command = [sys.executable, __file__, "--once", "--tokenizer", arguments.tokenizer, "--rows", arguments.rows]
        rates[threads] = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        first, best, median = (rates[threads][key] / 1e6 for key in ("first", "best", "median"))
        print(f"tokenizers {rates[threads]['version']}, {threads} threads: {first:.1f} MB/s in the first pass", end="")
        print(f", {best:.1f} at best after it, {median:.1f} in the median")
    if arguments.output:
        some = next(iter(rates.values()))
        figures = {"versions": {"tokenizers": some["version"]}, "bytes": some["bytes"], "bytes_per_second": rates}
        arguments.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
