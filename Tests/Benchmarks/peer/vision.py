"""The peer of `benchmark vision`: the same vision tower and patches in PyTorch and transformers.

    python vision.py --model DIR [--dtype float32|bfloat16] [--patches 4096] [--passes 3]

Attention is torch's fused one. The mean magnitude of the features is printed, to be compared: both sides must compute the same.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch
import transformers
from transformers import Qwen2_5_VLForConditionalGeneration

# Patches down and across: 448 × 448 and 672 × 896 pixels.
SIZES = [(32, 32), (48, 64)]


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--patches", type=int, default=4096, help="that go through the tower together, in whole images")
    parser.add_argument("--passes", type=int, default=3, help="timed passes of each size")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, help="where the figures go, JSON")
    return parser.parse_args()


def patches(rows: int, columns: int) -> torch.Tensor:
    """Uniform in ±1: the place times a constant, modulo 2³², as a signed number."""
    hashed = torch.arange(rows * columns, dtype=torch.int64) * 2_654_435_769 % 2**32
    signed = torch.where(hashed >= 2**31, hashed - 2**32, hashed)
    return (signed.float() * 2.0**-31).reshape(rows, columns)


def main() -> None:
    arguments = settings()
    torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    dtype = getattr(torch, arguments.dtype)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(arguments.model, dtype=dtype, attn_implementation="sdpa")
    tower = model.model.visual.eval()
    config = tower.config
    width = config.in_channels * config.temporal_patch_size * config.patch_size**2

    sizes = {}
    for height, across in SIZES:
        images = max(1, arguments.patches // (height * across))
        grid = torch.tensor([(1, height, across)] * images)
        inputs = patches(height * across, width).repeat(images, 1).to(dtype)
        seconds = []
        with torch.inference_mode():
            for _ in range(1 + arguments.passes):
                start = time.perf_counter()
                features = tower(inputs, grid_thw=grid).pooler_output
                seconds.append(time.perf_counter() - start)
        rate, magnitude = images / statistics.median(seconds[1:]), features.float().abs().mean().item()
        name = f"{height * config.patch_size}x{across * config.patch_size}"
        sizes[name] = {"images_per_second": rate, "magnitude": magnitude}
        print(f"{name}: {images} images a pass, {rate:.3f} images/s, mean magnitude of the features {magnitude:.5f}")
    kind = f"{arguments.dtype}, {arguments.threads} threads"
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {kind}")
    if arguments.output:
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        arguments.output.write_text(json.dumps({"versions": versions, "images": sizes}, indent=2))


if __name__ == "__main__":
    main()
