"""Compares `shoal embed` with transformers and PEFT on a whole published checkpoint, jinaai/jina-embeddings-v4 above all.

    python published/check.py [CHECKPOINT FOLDER] [--dtype bfloat16|float32] [--shoal BINARY]

The folder, by default that of the environment variable SHOAL_CHECKPOINT, is as published: config.json, tokenizer.json, safetensors files,
adapters/, preprocessor_config.json. Where adapters, projector or vision tower are absent, a sentence says that they are left out; where the
weights are, that nothing is checked. What is compared, and how closely: ../README.md.

Exit status 0: every line agrees, or there are no weights; 1: a line does not agree; 2: wrong arguments.
"""

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(GOLDEN)]

import torch
from lines import HEADING, Tolerance, lines
from program import Program
from reference import Checkpoint, Reference
from transformers.utils import logging

SHOAL = GOLDEN.parents[1] / ".build/release/shoal"
HOW_TO_GET = "venv/bin/hf download jinaai/jina-embeddings-v4 --local-dir FOLDER"


def left_out(checkpoint: Checkpoint) -> list[str]:
    parts = {
        "adapters/: the bare backbone alone is compared": checkpoint.adapters,
        "multi-vector projector: token vectors and counts of tokens are left out": checkpoint.has_projector,
        "vision tower with a preprocessor_config.json: pictures are left out": checkpoint.has_tower,
    }
    return [f"no {part}" for part, present in parts.items() if not present]


def compare(checkpoint: Checkpoint, shoal: Path, dtype: str) -> bool:
    """A line for each adapter, kind of vector and kind of input. Shoal goes first, so that one model at a time is in memory."""
    cases = [(checkpoint.tasks[0], False)] + [(task, True) for task in checkpoint.tasks if checkpoint.adapters]
    kinds = [False, True] if checkpoint.has_projector else [False]
    with tempfile.TemporaryDirectory() as scratch:
        program = Program(shoal, checkpoint.folder, dtype, checkpoint.has_tower, Path(scratch))
        found = {(*case, late): program.embed(*case, late) for case in cases for late in kinds}
    reference, tolerance = Reference(checkpoint, getattr(torch, dtype)), Tolerance(dtype, checkpoint.layers, checkpoint.blocks)
    good = True
    print(HEADING)
    for task, adapted in cases:
        expected, bare = reference.embed(task, adapted), reference.embed(task, adapted=False)
        for late in kinds:
            for line in lines(task if adapted else "none", late, found[task, adapted, late], expected[late], bare[late]):
                print(line.written(tolerance), flush=True)
                good = good and line.agrees(tolerance)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares shoal with transformers and PEFT on a published checkpoint.")
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("SHOAL_CHECKPOINT"))
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16", help="arithmetic of both sides")
    parser.add_argument("--shoal", type=Path, default=SHOAL, help="the program (default: .build/release/shoal of this package)")
    arguments = parser.parse_args()
    folder = arguments.folder
    if folder is None or not any(folder.glob("*.safetensors")):
        where = f"{folder} has no safetensors files" if folder else "no folder is named and SHOAL_CHECKPOINT is not set"
        print(f"skipped: {where}; `{HOW_TO_GET}` fetches the published ones (8 GB).")
        return 0
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).exists()]
    if missing:
        parser.error(f"{folder} has no {' and no '.join(missing)}")
    if not arguments.shoal.exists():
        parser.error(f"{arguments.shoal} does not exist: run `make build` or name it with --shoal")
    warnings.simplefilter("ignore")  # PEFT's and transformers' about each other
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    checkpoint = Checkpoint(folder)
    print(f"{folder}: {checkpoint.layers} layers, {checkpoint.blocks} vision blocks, {arguments.dtype}")
    for sentence in left_out(checkpoint):
        print(sentence)
    good = compare(checkpoint, arguments.shoal, arguments.dtype)
    print("Shoal and the reference agree." if good else "Shoal and the reference DIFFER.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
