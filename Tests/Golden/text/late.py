"""Golden values of the multi-vector head: the models of make.py with their projector, PEFT's LoRA on it or not.

    python text/late.py [FOLDER]     reads flat-bf16/ and nested-f32/ (default: beside this file), writes late.safetensors into each

The gradient is that of the sum of `weights` times the late vectors, element by element. What the file holds: ../README.md.
"""

import argparse
import copy
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import torch
from adapter import PUBLISHED_TARGETS, random_adapters
from checkpoint import PROJECTOR_WIDTH, SHAPES, Random, Shape
from make import final_states, load, token_ids
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

PROJECTOR = "multi_vector_projector"


def with_projector(model: torch.nn.Module, folder: Path) -> torch.nn.Module:
    """The model with the checkpoint's projector, frozen, under the name that it has in the reference implementation."""
    stored = {}
    for file in sorted(folder.glob("*.safetensors")):
        stored |= load_file(file)
    weight, bias = (stored[f"{PROJECTOR}.{name}"].float() for name in ("weight", "bias"))
    projector = torch.nn.Linear(weight.shape[1], weight.shape[0])
    projector.load_state_dict({"weight": weight, "bias": bias})
    model.multi_vector_projector = projector.requires_grad_(False)
    return model


def adapted(model: torch.nn.Module, shape: Shape, includes_projector: bool) -> tuple[torch.nn.Module, dict[str, torch.nn.Parameter]]:
    """PEFT around the model, filled with the retrieval adapter; trainable parameters by published name."""
    config = LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=0.0,
        target_modules=PUBLISHED_TARGETS,
        exclude_modules=".*visual.*" if includes_projector else f".*(visual|{PROJECTOR}).*",
        task_type="FEATURE_EXTRACTION",
    )
    model = get_peft_model(model, config)
    trainable = {n.replace(".default.", ".retrieval."): p for n, p in model.named_parameters() if p.requires_grad}
    adapters = random_adapters(shape)
    expected = {n for n in adapters if ".retrieval." in n and (includes_projector or PROJECTOR not in n)}
    assert set(trainable) == expected, "PEFT wrapped other modules than the published names"
    with torch.no_grad():
        for name, parameter in trainable.items():
            parameter.copy_(adapters[name])
    return model, trainable


def late_vectors(model: torch.nn.Module, segments: list[torch.Tensor]) -> torch.Tensor:
    """[tokens, width]: every token's state through the projector, unit length."""
    states = torch.cat(final_states(model, segments))
    return torch.nn.functional.normalize(model.multi_vector_projector(states), dim=1)


def make(shape: Shape, folder: Path) -> None:
    segments = token_ids(shape)
    bare = with_projector(load(folder / "model"), folder / "model")
    weights = Random(shape.seed + 300).normal(sum(map(len, segments)), PROJECTOR_WIDTH, scale=0.1)
    tensors = {"weights": weights}
    with torch.no_grad():
        tensors["bare.late"] = late_vectors(bare, segments)
    for prefix, includes_projector in (("", True), ("frozen.", False)):
        model, trainable = adapted(copy.deepcopy(bare), shape, includes_projector)
        late = late_vectors(model.base_model.model, segments)
        (weights * late).sum().backward()
        tensors[f"{prefix}late"] = late.detach()
        tensors |= {f"{prefix}gradient.{name}": parameter.grad for name, parameter in trainable.items()}
    save_file({n: t.contiguous() for n, t in tensors.items()}, folder / "late.safetensors", metadata={"format": "pt"})
    print(shape.name, tuple(tensors["late"].shape), sum("gradient." in name for name in tensors), "gradients")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for shape in SHAPES:
        make(shape, arguments.folder / shape.name)
