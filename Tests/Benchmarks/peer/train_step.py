"""The peer of `benchmark step`: the same steps in PyTorch, transformers and PEFT, on the same checkpoint, pairs and batches.

    python train_step.py --model DIR --data PAIRS.jsonl[.gz] [--dtype float32|bfloat16] [--pairs 8] ...

The same few steps are done again and again, so that each has a best time and a median; a round before them is not counted. With --wait
it says `ready` and does the next step for each line `step` on stdin, until stdin ends.

A step takes its pairs from the file, embeds anchors and positives (each side padded to its longest row, as these libraries do),
takes InfoNCE over all positives, backpropagates into LoRA matrices on all linears of the decoder, clips, and updates with AdamW. The
language model's head is not computed, frozen weights have no gradient, there is no dropout, attention is torch's fused one. B starts
at zero on both sides, so the loss of the first step is the same up to rounding: it is printed, to be compared.

With bfloat16 the frozen weights are bfloat16; so are the adapters (the fastest peer), or float32 under autocast with
`--adapters float32` (what PEFT does by default, and what keeps small updates).
"""

import argparse
import contextlib
import gzip
import json
import os
import time
from pathlib import Path

import peft
import requests_on_stdin
import torch
import transformers
from peft import LoraConfig, get_peft_model
from statistic import Statistic
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

DECODER_LINEARS = r".*\.language_model\..*\.(q|k|v|o|gate|up|down)_proj"


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--adapters", choices=["float32", "bfloat16"], help="with bfloat16 only; default bfloat16")
    parser.add_argument("--pairs", type=int, default=8, help="of a step")
    parser.add_argument("--steps", type=int, default=3, help="different steps that are timed")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of each")
    parser.add_argument("--wait", action="store_true", help="do a step for each line on stdin")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--temperature", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output", type=Path, help="where the figures go, JSON")
    arguments = parser.parse_args()
    if arguments.dtype == "float32" and arguments.adapters == "bfloat16":
        parser.error("--adapters bfloat16 needs --dtype bfloat16")
    arguments.adapters = arguments.adapters or arguments.dtype
    return arguments


def read_pairs(arguments: argparse.Namespace) -> list[tuple[list[int], list[int]]]:
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.enable_truncation(arguments.max_length)
    with gzip.open(arguments.data, "rt") if arguments.data.suffix == ".gz" else arguments.data.open() as file:
        rows = [json.loads(line) for line in file]
    sides = [[f"{prefix}: {row[key]}" for row in rows] for prefix, key in (("Query", "query"), ("Passage", "positive"))]
    ids = [[encoding.ids for encoding in tokenizer.encode_batch(side)] for side in sides]
    return list(zip(*ids, strict=True))


def build(arguments: argparse.Namespace) -> torch.nn.Module:
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        arguments.model, dtype=getattr(torch, arguments.dtype), attn_implementation="sdpa"
    )
    config = LoraConfig(
        r=arguments.rank,
        lora_alpha=arguments.rank,
        lora_dropout=0.0,
        init_lora_weights="gaussian",
        target_modules=DECODER_LINEARS,
        task_type="FEATURE_EXTRACTION",
    )
    return get_peft_model(model, config, autocast_adapter_dtype=arguments.adapters == "float32").train()


def embed(model: torch.nn.Module, rows: list[list[int]]) -> torch.Tensor:
    """[rows, hidden], unit length, float32, from rows padded on the right."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    states = model.base_model.model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state.float()
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(mean, dim=1)


def peak_resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class Training:
    """Steps over the first pairs of the file, which begin again after the last one."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        pairs = read_pairs(arguments)[: arguments.steps * arguments.pairs]
        self.batches = [pairs[start : start + arguments.pairs] for start in range(0, len(pairs), arguments.pairs)]
        self.model = build(arguments)
        self.trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trainable, lr=arguments.learning_rate, weight_decay=0.01)
        mixed = arguments.dtype != arguments.adapters
        self.autocast = torch.autocast("cpu", torch.bfloat16) if mixed else contextlib.nullcontext()
        self.temperature = arguments.temperature
        self.seconds: list[list[float]] = [[] for _ in self.batches]
        self.first_loss = self.round()
        for seconds in self.seconds:
            seconds.clear()
        self.done = 0

    def round(self) -> float:
        """Every step once; the loss of the first."""
        return [self.step(place) for place in range(len(self.batches))][0]

    def next(self) -> float:
        """The seconds of the step whose turn it is."""
        place = self.done % len(self.batches)
        self.step(place)
        self.done += 1
        return self.seconds[place][-1]

    def step(self, place: int) -> float:
        sides = self.sides(place)
        start = time.perf_counter()
        with self.autocast:
            queries, passages = (embed(self.model, side) for side in sides)
        loss = torch.nn.functional.cross_entropy(queries @ passages.T / self.temperature, torch.arange(len(queries)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trainable, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.seconds[place].append(time.perf_counter() - start)
        return loss.item()

    def sides(self, place: int) -> list[list[list[int]]]:
        return [[pair[side] for pair in self.batches[place]] for side in (0, 1)]

    @property
    def tokens(self) -> list[int]:
        """Of each step, without padding."""
        return [sum(len(row) for side in self.sides(place) for row in side) for place in range(len(self.batches))]

    @property
    def padding(self) -> float:
        """Its share of what the model is fed."""
        sides = [side for place in range(len(self.batches)) for side in self.sides(place)]
        return 1 - sum(self.tokens) / sum(len(side) * max(map(len, side)) for side in sides)


def main() -> None:
    arguments = settings()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    training = Training(arguments)
    if arguments.wait:
        requests_on_stdin.serve({"step": training.next})
    else:
        for _ in range(arguments.rounds):
            training.round()
        rate = Statistic.rate(training.tokens, training.seconds)
        kind = f"{arguments.dtype}, adapters {arguments.adapters}, {arguments.threads} threads, {arguments.pairs} pairs a step"
        print(f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, {kind}")
        print(f"{rate.text(1)} real tokens/s, best (median); {100 * training.padding:.0f} % of the tokens padding")
        print(f"loss of the first step {training.first_loss:.4f}, peak resident {peak_resident_bytes() / 1e9:.2f} GB")
    if arguments.output:
        figures = {
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
            "tokens": training.tokens,
            "seconds": training.seconds,
            "padding": training.padding,
            "first_loss": training.first_loss,
            "peak_resident_bytes": peak_resident_bytes(),
        }
        arguments.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
