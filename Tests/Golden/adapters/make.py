"""Golden adapters that PEFT computes otherwise than plain LoRA of one rank and alpha, and what the model makes of them.

    python adapters/make.py [--output FOLDER]     writes a folder a kind (default: beside this file)

Each is wrapped by PEFT around text/flat-bf16's model, filled with random factors, saved by PEFT, read again by PEFT, and embeds the
segments of text/flat-bf16/golden.safetensors in float32. What the files hold: ../README.md.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "text")]

import torch
from checkpoint import SHAPES, Random, load
from make import final_states, pooled, token_ids
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

SHAPE = SHAPES[0]
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
DECODER = {"target_modules": LINEARS, "exclude_modules": ".*visual.*"}
RANKS = {"k_proj": 2, r"layers\.1\.mlp\.up_proj": 7, "^model.language_model.layers.0.mlp.down_proj": 1}
ALPHAS = {"q_proj": 3, r"layers\.1\.mlp\.(gate|up)_proj": 16.5, "layers.0.self_attn.o_proj": 8}
# The first key that matches wins; PEFT saves keys in the order of the alphabet, so a saved adapter is read with the longer one.
SHADOWED = {"v_proj": 3, "self_attn.v_proj": 5}
KINDS = {
    "rslora": DECODER | {"use_rslora": True},
    "patterns": DECODER | {"rank_pattern": RANKS, "alpha_pattern": ALPHAS},
    "alphas": DECODER | {"alpha_pattern": SHADOWED},
    "rslora-patterns": DECODER | {"use_rslora": True, "rank_pattern": RANKS, "alpha_pattern": ALPHAS},
    "ranks-of-some": {"target_modules": ["q_proj", "up_proj"], "exclude_modules": ".*visual.*", "rank_pattern": {"up_proj": 2}},
    "idle-tower": {"target_modules": LINEARS},
}


def make(kind: str, seed: int, folder: Path) -> None:
    config = LoraConfig(r=4, lora_alpha=6, base_model_name_or_path=SHAPE.name, **KINDS[kind])
    model = get_peft_model(load(ROOT / "text" / SHAPE.name / "model"), config).eval()
    random = Random(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # As after training on texts alone: what the loss does not reach keeps its B of zeros.
            if parameter.requires_grad and not ("visual" in name and "lora_B" in name):
                parameter.copy_(random.normal(*parameter.shape, scale=0.2))
    model.peft_config["default"].base_model_name_or_path = SHAPE.name
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    saved = PeftModel.from_pretrained(load(ROOT / "text" / SHAPE.name / "model"), folder).eval()
    with torch.no_grad():
        embeddings = pooled(final_states(saved.base_model.model, token_ids(SHAPE)))
    save_file({"embeddings": embeddings.contiguous()}, folder / "golden.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent)
    output = parser.parse_args().output
    torch.set_num_threads(1)
    for place, kind in enumerate(KINDS):
        make(kind, 600 + place, output / kind)
