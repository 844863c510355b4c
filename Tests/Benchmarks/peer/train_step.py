"""The peer of Shoal's training step: PyTorch, transformers and PEFT on the same backbone, data and settings.

    python train_step.py --model examples/jina-tiny --data TRAIN.jsonl[.gz] [--dtype float32|bfloat16] [--batch 64] ...

One step embeds the anchors and the positives of a batch (each side padded to its longest row, as these libraries do), takes InfoNCE
over all positives, backpropagates into the LoRA matrices, clips, and updates with AdamW. The language model's head is not computed.
Printed per run: the median step time, and the rates of real tokens (padding not counted) and of the tokens the model was fed.
With bfloat16 the frozen weights are bfloat16; the adapters are bfloat16 too (the fastest peer), or float32 under autocast
(`--adapters float32`, what PEFT and the Trainer do by default, and what keeps small updates).
"""

import argparse
import contextlib
import gzip
import json
import os
import random
import statistics
import time
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration, get_linear_schedule_with_warmup

DECODER_LINEARS = r".*\.language_model\..*\.(q|k|v|o|gate|up|down)_proj"


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--adapters", choices=["float32", "bfloat16"], help="with bfloat16 only; default bfloat16")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10, help="timed steps")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before the clock starts")
    parser.add_argument("--max-length", type=int, default=160)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    if arguments.dtype == "float32" and arguments.adapters == "bfloat16":
        parser.error("--adapters bfloat16 needs --dtype bfloat16")
    arguments.adapters = arguments.adapters or arguments.dtype
    return arguments


def read_pairs(path: Path, tokenizer: Tokenizer) -> list[tuple[list[int], list[int]]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [json.loads(line) for line in file]
    sides = [[f"{prefix}: {row[key]}" for row in rows] for prefix, key in (("Query", "query"), ("Passage", "positive"))]
    ids = [[encoding.ids for encoding in tokenizer.encode_batch(side)] for side in sides]
    return list(zip(*ids, strict=True))


def build(arguments: argparse.Namespace) -> torch.nn.Module:
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(arguments.model, dtype=getattr(torch, arguments.dtype))
    config = LoraConfig(
        r=arguments.rank,
        lora_alpha=arguments.rank,
        lora_dropout=0.0,
        init_lora_weights="gaussian",
        target_modules=DECODER_LINEARS,
        task_type="FEATURE_EXTRACTION",
    )
    return get_peft_model(model, config, autocast_adapter_dtype=arguments.adapters == "float32")


def embed(model: torch.nn.Module, rows: list[list[int]]) -> torch.Tensor:
    """[rows, hidden], unit length, float32, from rows padded on the right."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    states = model.base_model.model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state.float()
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(mean, dim=1)


def main() -> None:
    arguments = settings()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.enable_truncation(arguments.max_length)
    pairs = read_pairs(arguments.data, tokenizer)
    model = build(arguments).train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=arguments.learning_rate, weight_decay=0.01)
    total = arguments.warm_up + arguments.steps
    schedule = get_linear_schedule_with_warmup(optimizer, arguments.warm_up, total)
    mixed = arguments.dtype != arguments.adapters
    autocast = torch.autocast("cpu", torch.bfloat16) if mixed else contextlib.nullcontext()
    shuffled = random.Random(arguments.seed)

    seconds, real, fed = [], 0, 0
    for step in range(total):
        batch = shuffled.sample(pairs, arguments.batch)
        anchors, positives = ([pair[side] for pair in batch] for side in (0, 1))
        start = time.perf_counter()
        with autocast:
            queries, passages = embed(model, anchors), embed(model, positives)
        loss = torch.nn.functional.cross_entropy(queries @ passages.T / arguments.temperature, torch.arange(arguments.batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step < arguments.warm_up:
            continue
        seconds.append(time.perf_counter() - start)
        for side in (anchors, positives):
            real += sum(map(len, side))
            fed += len(side) * max(map(len, side))
        print(f"step {step + 1 - arguments.warm_up:3}  {seconds[-1]:7.3f} s  loss {loss.item():.4f}", flush=True)

    kind = f"{arguments.dtype}, adapters {arguments.adapters}, {arguments.threads} threads, batch {arguments.batch}"
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {kind}")
    print(f"median step {statistics.median(seconds):.3f} s, {real / sum(seconds):.0f} real tokens/s, {fed / sum(seconds):.0f} fed tokens/s")


if __name__ == "__main__":
    main()
