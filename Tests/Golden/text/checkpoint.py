"""Two tiny random backbones in the published layout, written so that every accepted spelling occurs once.

flat-bf16: flat config keys, `rope_scaling` and `torch_dtype`, old tensor names, BF16, one file.
nested-f32: nested `text_config`, `rope_parameters` and `dtype`, new tensor names, float32, two files with an index.
Weights come from numpy's PCG64, scaled so that each layer changes the stream by about its own size.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from transformers import Qwen2_5_VLForConditionalGeneration

TASKS = ["retrieval", "text-matching", "code"]
LINEARS = [f"self_attn.{x}_proj" for x in "qkvo"] + [f"mlp.{x}_proj" for x in ("gate", "up", "down")]


@dataclass(frozen=True)
class Vision:
    """Sizes of a vision tower, as config.json has them."""

    depth: int = 2
    hidden_size: int = 16
    num_heads: int = 2
    intermediate_size: int = 24
    patch_size: int = 14
    spatial_merge_size: int = 2
    window_size: int = 112
    fullatt_block_indexes: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class Shape:
    name: str
    seed: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    mrope_section: tuple[int, int, int]
    rope_theta: float
    rms_epsilon: float
    matryoshka: tuple[int, ...]
    rank: int
    alpha: int
    nested: bool
    vision: Vision = Vision()

    @property
    def head(self) -> int:
        return self.hidden // self.heads

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.nested else torch.bfloat16


SHAPES = [
    Shape("flat-bf16", 20, 2, 64, 4, 2, 160, 512, (2, 3, 3), 1e6, 1e-6, (16, 32, 64), rank=4, alpha=8, nested=False),
    Shape("nested-f32", 21, 3, 96, 6, 2, 104, 384, (2, 2, 4), 1e4, 1e-5, (24, 48, 96), rank=8, alpha=8, nested=True),
]

PROJECTOR_WIDTH = 32


class Random:
    """Named draws from one seeded stream."""

    def __init__(self, seed: int):
        self.generator = numpy.random.Generator(numpy.random.PCG64(seed))

    def normal(self, *shape: int, scale: float, around: float = 0) -> torch.Tensor:
        return torch.from_numpy((around + scale * self.generator.standard_normal(shape)).astype(numpy.float32))

    def linear(self, prefix: str, outputs: int, inputs: int, bias: bool) -> dict[str, torch.Tensor]:
        tensors = {f"{prefix}.weight": self.normal(outputs, inputs, scale=1.2 / math.sqrt(inputs))}
        if bias:
            tensors[f"{prefix}.bias"] = self.normal(outputs, scale=0.3)
        return tensors

    def norm(self, prefix: str, width: int) -> dict[str, torch.Tensor]:
        return {f"{prefix}.weight": self.normal(width, scale=0.2, around=1)}


def linear_sizes(shape: Shape) -> dict[str, tuple[int, int]]:
    """(outputs, inputs) of the seven linears of a layer."""
    hidden, kv = shape.hidden, shape.kv_heads * shape.head
    sizes = [(hidden, hidden), (kv, hidden), (kv, hidden), (hidden, hidden)]
    sizes += [(shape.intermediate, hidden)] * 2 + [(hidden, shape.intermediate)]
    return dict(zip(LINEARS, sizes, strict=True))


def backbone(shape: Shape) -> dict[str, torch.Tensor]:
    """All tensors under their old names, float32."""
    random = Random(shape.seed)
    tensors = {"model.embed_tokens.weight": random.normal(shape.vocabulary, shape.hidden, scale=0.7)}
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}"
        tensors |= random.norm(f"{prefix}.input_layernorm", shape.hidden)
        tensors |= random.norm(f"{prefix}.post_attention_layernorm", shape.hidden)
        for name, (outputs, inputs) in linear_sizes(shape).items():
            tensors |= random.linear(f"{prefix}.{name}", outputs, inputs, bias=name[-6:] in ("q_proj", "k_proj", "v_proj"))
    tensors |= random.norm("model.norm", shape.hidden)
    tensors |= vision(random, shape.vision, shape.hidden)
    tensors |= random.linear("multi_vector_projector", PROJECTOR_WIDTH, shape.hidden, bias=True)
    return {name: tensor.to(shape.dtype) for name, tensor in tensors.items()}


def vision(random: Random, sizes: Vision, out_hidden: int) -> dict[str, torch.Tensor]:
    width, middle, side = sizes.hidden_size, sizes.intermediate_size, sizes.patch_size
    scale = 1 / math.sqrt(6 * side * side)
    tensors = {"visual.patch_embed.proj.weight": random.normal(width, 3, 2, side, side, scale=scale)}
    for block in range(sizes.depth):
        prefix = f"visual.blocks.{block}"
        tensors |= random.norm(f"{prefix}.norm1", width) | random.norm(f"{prefix}.norm2", width)
        tensors |= random.linear(f"{prefix}.attn.qkv", 3 * width, width, bias=True)
        tensors |= random.linear(f"{prefix}.attn.proj", width, width, bias=True)
        tensors |= random.linear(f"{prefix}.mlp.gate_proj", middle, width, bias=True)
        tensors |= random.linear(f"{prefix}.mlp.up_proj", middle, width, bias=True)
        tensors |= random.linear(f"{prefix}.mlp.down_proj", width, middle, bias=True)
    tensors |= random.norm("visual.merger.ln_q", width)
    merged = width * sizes.spatial_merge_size**2
    tensors |= random.linear("visual.merger.mlp.0", merged, merged, bias=True)
    return tensors | random.linear("visual.merger.mlp.2", out_hidden, merged, bias=True)


def configuration(shape: Shape) -> dict:
    ids = shape.vocabulary - 22
    text = {
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "intermediate_size": shape.intermediate,
        "hidden_act": "silu",
        "rms_norm_eps": shape.rms_epsilon,
        "max_position_embeddings": 4096,
        "attention_dropout": 0.0,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": True,
    }
    section = list(shape.mrope_section)
    tower = shape.vision
    vision_config = {
        "depth": tower.depth,
        "hidden_size": tower.hidden_size,
        "num_heads": tower.num_heads,
        "intermediate_size": tower.intermediate_size,
        "model_type": "qwen2_5_vl",
        "hidden_act": "silu",
        "out_hidden_size": shape.hidden,
        "in_channels": 3,
        "in_chans": 3,
        "patch_size": tower.patch_size,
        "spatial_patch_size": tower.patch_size,
        "temporal_patch_size": 2,
        "spatial_merge_size": tower.spatial_merge_size,
        "window_size": tower.window_size,
        "fullatt_block_indexes": tower.fullatt_block_indexes,
        "tokens_per_second": 2,
    }
    config = {
        "model_type": "qwen2_5_vl",
        "architectures": ["JinaEmbeddingsV4Model"],
        "task_names": TASKS,
        "matryoshka_dims": list(shape.matryoshka),
        "truncate_dim": None,
        "single_vector_pool_strategy": "mean",
        "multi_vector_projector_dim": PROJECTOR_WIDTH,
        "bos_token_id": ids,
        "eos_token_id": ids + 2,
        "vision_start_token_id": ids + 9,
        "vision_end_token_id": ids + 10,
        "vision_token_id": ids + 11,
        "image_token_id": ids + 12,
        "video_token_id": ids + 13,
        "tie_word_embeddings": True,
    }
    if shape.nested:
        rope = {"rope_type": "default", "rope_theta": shape.rope_theta, "mrope_section": section}
        text |= {"model_type": "qwen2_5_vl_text", "rope_parameters": rope, "dtype": "float32"}
        return config | {"dtype": "float32", "text_config": text, "vision_config": vision_config}
    rope = {"type": "mrope", "mrope_section": section}
    text |= {"rope_theta": shape.rope_theta, "rope_scaling": rope, "torch_dtype": "bfloat16"}
    return config | text | {"vision_config": vision_config}


def new_name(name: str) -> str:
    if name.startswith("visual."):
        return f"model.{name}"
    return name.replace("model.", "model.language_model.", 1) if name.startswith("model.") else name


def write_checkpoint(shape: Shape, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(configuration(shape), indent=2) + "\n")
    tensors = backbone(shape)
    if not shape.nested:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    tensors = {new_name(name): tensor for name, tensor in tensors.items()}
    # The cut falls inside layer 1, so that one layer's tensors come from both files.
    second = {name for name in tensors if any(part in name for part in (".layers.2.", ".layers.1.mlp.", "projector", "language_model.norm"))}
    weight_map = {name: f"model-0000{2 if name in second else 1}-of-00002.safetensors" for name in sorted(tensors)}
    for file in sorted(set(weight_map.values())):
        save_file({n: t for n, t in tensors.items() if weight_map[n] == file}, folder / file, metadata={"format": "pt"})
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def load(folder: Path) -> torch.nn.Module:
    """The checkpoint as transformers reads it: every tensor but the projector's must find its place."""
    model, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    assert set(info["unexpected_keys"]) == {"multi_vector_projector.weight", "multi_vector_projector.bias"}, info
    return model.eval()
