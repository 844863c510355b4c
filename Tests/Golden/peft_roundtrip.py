"""Shows that plain PEFT adapters pass between `shoal` and Python unchanged. Run by hand; its output is noted in README.md.

    python peft_roundtrip.py --shoal BINARY --model BACKBONE --adapter RUN/peft/TASK --texts FILE [--task TASK]

1. The adapter that `shoal train` wrote is loaded by PEFT onto transformers' Qwen2_5_VLForConditionalGeneration, with nothing but the
   two from_pretrained calls, and embeds the lines of FILE; `shoal embed` does the same.
2. An adapter made and saved by PEFT, on each of the three classes that hold the decoder, is given to `shoal embed --adapter`.

Both in float32, as query and as passage. Every row must reach a cosine of 0.9999. Exit status 1 if one does not, or if the adapter
changes nothing (then the comparison would prove nothing).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.utils import logging

TOLERANCE = 0.9999
DECODER_LINEARS = r"(.*\.)?layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj"


def prefix(task: str, prompt: str) -> str:
    return "Passage: " if prompt == "passage" and task != "text-matching" else "Query: "


def lines_of(path: Path) -> list[str]:
    """Only a line feed ends a line; str.splitlines would also cut at form feeds and Unicode separators."""
    return path.read_bytes().decode().removesuffix("\n").split("\n")


def load(folder: Path) -> torch.nn.Module:
    """No renaming, no remote code: transformers maps the published names itself; only the projector is left over."""
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


def decoder_of(model: torch.nn.Module) -> torch.nn.Module:
    """The part whose output is the final hidden state, below whatever wraps it."""
    inner = model.base_model.model if isinstance(model, PeftModel) else model
    return inner.model if isinstance(inner, Qwen2_5_VLForConditionalGeneration) else inner


@torch.no_grad()
def embed_in_python(model: torch.nn.Module, tokenizer: Tokenizer, texts: list[str]) -> numpy.ndarray:
    rows = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        state = decoder_of(model)(input_ids=ids, use_cache=False).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(state.mean(dim=0), dim=0))
    return torch.stack(rows).numpy()


def embed_in_shoal(arguments: argparse.Namespace, adapter: Path, prompt: str, output: Path) -> numpy.ndarray:
    command = [arguments.shoal, "embed", "--model", arguments.model, "--adapter", adapter, "--task", arguments.task]
    command += ["--prompt", prompt, "--text-file", arguments.texts, "--compute-dtype", "float32", "--output", output]
    subprocess.run([str(part) for part in command], check=True)
    return numpy.load(output)


def load_adapter(base: torch.nn.Module, folder: Path) -> PeftModel:
    """PEFT only warns about tensors that find no place, so what it holds is compared with the file."""
    model = PeftModel.from_pretrained(base, folder).eval()
    held, stored = get_peft_model_state_dict(model), load_file(folder / "adapter_model.safetensors")
    assert held.keys() == stored.keys(), f"PEFT and the file differ in {sorted(held.keys() ^ stored.keys())[:4]}"
    assert all(torch.equal(held[name].float(), stored[name].float()) for name in stored), "PEFT holds other values than the file"
    return model


def random_adapter(base: torch.nn.Module, seed: int) -> PeftModel:
    torch.manual_seed(seed)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=DECODER_LINEARS, init_lora_weights="gaussian", task_type="FEATURE_EXTRACTION")
    model = get_peft_model(base, config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    return model


def compare(title: str, model: torch.nn.Module, folder: Path, bare: dict[str, numpy.ndarray], arguments: argparse.Namespace) -> bool:
    tokenizer, good = Tokenizer.from_file(str(arguments.model / "tokenizer.json")), True
    lines = lines_of(arguments.texts)
    for prompt in ("query", "passage"):
        expected = embed_in_python(model, tokenizer, [prefix(arguments.task, prompt) + line for line in lines])
        with tempfile.TemporaryDirectory() as scratch:
            found = embed_in_shoal(arguments, folder, prompt, Path(scratch) / "rows.npy")
        assert found.shape == expected.shape and found.dtype == numpy.float32, f"{found.dtype}{found.shape}, expected {expected.shape}"
        cosine, moved = (found * expected).sum(1).min(), (bare[prompt] * expected).sum(1).min()
        passes = cosine >= TOLERANCE and moved < TOLERANCE
        good = good and passes
        word = "ok" if passes else "FAILED"
        print(f"{title:52} {prompt:8} {len(lines)} rows, lowest cosine {cosine:.7f}, against the bare backbone {moved:.4f}: {word}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("shoal", "model", "adapter", "texts"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--task", default="retrieval")
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()

    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    lines = lines_of(arguments.texts)
    base = load(arguments.model)
    prompts = ("query", "passage")
    bare = {prompt: embed_in_python(base, tokenizer, [prefix(arguments.task, prompt) + line for line in lines]) for prompt in prompts}
    good = compare("shoal to PEFT", load_adapter(base, arguments.adapter), arguments.adapter, bare, arguments)
    parts = [lambda model: model, lambda model: model.model, lambda model: model.model.language_model]
    for seed, part in enumerate(parts):
        wrapped = random_adapter(part(load(arguments.model)), seed)
        with tempfile.TemporaryDirectory() as folder:
            wrapped.save_pretrained(folder, save_embedding_layers=False)
            title = f"PEFT on {type(wrapped.base_model.model).__name__} to shoal"
            good = compare(title, wrapped, Path(folder), bare, arguments) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
