"""The peer of `benchmark vision`: the same vision tower and patches in PyTorch and transformers.

    python vision.py --model DIR [--dtype float32|bfloat16] [--patches 4096] [--passes 5]

The sizes are done in turns, after a pass of each that is not counted. With --wait it says `ready` and does a pass for each line
on stdin (`448x448`, `672x896`), until stdin ends. Attention is torch's fused one. The mean magnitude of the features is printed, to be compared: both sides must compute the same.
"""

import argparse
import json
import os
import time
from pathlib import Path

import requests_on_stdin
import torch
import transformers
from statistic import Statistic
from transformers import Qwen2_5_VLForConditionalGeneration

# Patches down and across: 448 × 448 and 672 × 896 pixels.
SIZES = [(32, 32), (48, 64)]


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--patches", type=int, default=4096, help="that go through the tower together, in whole images")
    parser.add_argument("--passes", type=int, default=5, help="timed passes of each size")
    parser.add_argument("--wait", action="store_true", help="do a pass for each line on stdin")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, help="where the figures go, JSON")
    return parser.parse_args()


def patches(rows: int, columns: int) -> torch.Tensor:
    """Uniform in ±1: the place times a constant, modulo 2³², as a signed number."""
    hashed = torch.arange(rows * columns, dtype=torch.int64) * 2_654_435_769 % 2**32
    signed = torch.where(hashed >= 2**31, hashed - 2**32, hashed)
    return (signed.float() * 2.0**-31).reshape(rows, columns)


class Size:
    """Some equal images that go through the tower together."""

    def __init__(self, tower: torch.nn.Module, height: int, across: int, arguments: argparse.Namespace) -> None:
        config = tower.config
        width = config.in_channels * config.temporal_patch_size * config.patch_size**2
        self.tower = tower
        self.name = f"{height * config.patch_size}x{across * config.patch_size}"
        self.images = max(1, arguments.patches // (height * across))
        self.grid = torch.tensor([(1, height, across)] * self.images)
        self.inputs = patches(height * across, width).repeat(self.images, 1).to(getattr(torch, arguments.dtype))
        self.magnitude = self.features().float().abs().mean().item()
        self.seconds: list[float] = []

    def features(self) -> torch.Tensor:
        with torch.inference_mode():
            return self.tower(self.inputs, grid_thw=self.grid).pooler_output

    def timed(self) -> float:
        start = time.perf_counter()
        self.features()
        self.seconds.append(time.perf_counter() - start)
        return self.seconds[-1]


def main() -> None:
    arguments = settings()
    torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    dtype = getattr(torch, arguments.dtype)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(arguments.model, dtype=dtype, attn_implementation="sdpa")
    tower = model.model.visual.eval()
    sizes = [Size(tower, height, across, arguments) for height, across in SIZES]
    if arguments.wait:
        requests_on_stdin.serve({size.name: size.timed for size in sizes})
    else:
        for _ in range(arguments.passes):
            for size in sizes:
                size.timed()
        for size in sizes:
            rate = Statistic.rate([size.images], [size.seconds]).text(3)
            print(f"{size.name}: {size.images} images a pass, {rate} images/s, best (median)")
            print(f"mean magnitude of the features {size.magnitude:.5f}")
        print(f"torch {torch.__version__}, transformers {transformers.__version__}, {arguments.dtype}, {arguments.threads} threads")
    if arguments.output:
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        figures = {size.name: {"images": size.images, "seconds": size.seconds, "magnitude": size.magnitude} for size in sizes}
        arguments.output.write_text(json.dumps({"versions": versions, "images": figures}, indent=2))


if __name__ == "__main__":
    main()
