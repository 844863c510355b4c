"""Random adapters for the three tasks, and the two folders they are written to.

published/: all tasks in one file under the names of the released adapters, the projector's pair included.
peft/: the retrieval task alone, written by PEFT's own save_pretrained.
"""

import json
import math
from pathlib import Path

import torch
from checkpoint import LINEARS, PROJECTOR_WIDTH, TASKS, Random, Shape, linear_sizes
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

PUBLISHED_TARGETS = (
    "(.*(model).*(down_proj|gate_proj|up_proj|k_proj|q_proj|v_proj|o_proj).*$"
    "|.*(single_vector_projector|multi_vector_projector).*$)"
)
PEFT_TARGETS = r".*\.language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
LAYER_PREFIX = "base_model.model.model.language_model.layers"


def random_adapters(shape: Shape) -> dict[str, torch.Tensor]:
    """Published names to float32 tensors. A ~ N(0, 1/r) with standard deviation 1/r as PEFT's gaussian, B random and not zero."""
    random = Random(shape.seed + 100)
    modules = {f"{LAYER_PREFIX}.{i}.{name}": linear_sizes(shape)[name] for i in range(shape.layers) for name in LINEARS}
    modules["base_model.model.multi_vector_projector"] = (PROJECTOR_WIDTH, shape.hidden)
    tensors = {}
    for task in TASKS:
        for module, (outputs, inputs) in modules.items():
            a = random.normal(shape.rank, inputs, scale=1 / shape.rank)
            b = random.normal(outputs, shape.rank, scale=0.5 / math.sqrt(inputs))
            tensors |= {f"{module}.lora_A.{task}.weight": a, f"{module}.lora_B.{task}.weight": b}
    return tensors


def golden_names(adapters: dict[str, torch.Tensor]) -> list[str]:
    """Published names of the tensors that the golden loss reaches: retrieval, without the projector."""
    return sorted(name for name in adapters if ".retrieval." in name and "projector" not in name)


def attach(model: torch.nn.Module, shape: Shape, adapters: dict[str, torch.Tensor]) -> tuple[torch.nn.Module, dict[str, torch.nn.Parameter]]:
    """PEFT around the transformers model, filled with the retrieval adapter; trainable parameters by published name."""
    config = LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=0.0,
        init_lora_weights="gaussian",
        target_modules=PEFT_TARGETS,
        task_type="FEATURE_EXTRACTION",
        base_model_name_or_path=shape.name,
    )
    model = get_peft_model(model, config)
    trainable = {n.replace(".default.", ".retrieval."): p for n, p in model.named_parameters() if p.requires_grad}
    assert sorted(trainable) == golden_names(adapters), "PEFT wrapped other modules than the published names"
    with torch.no_grad():
        for name, parameter in trainable.items():
            assert parameter.shape == adapters[name].shape
            parameter.copy_(adapters[name])
    return model, trainable


def write_published(shape: Shape, adapters: dict[str, torch.Tensor], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(adapters, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    absent = ["auto_mapping", "corda_config", "eva_config", "layer_replication", "layers_pattern", "layers_to_transform"]
    absent += ["megatron_config", "modules_to_save", "revision", "trainable_token_indices"]
    config = dict.fromkeys(absent) | {
        "alpha_pattern": {},
        "base_model_name_or_path": "jinaai/jina-embeddings-v4",
        "bias": "none",
        "exclude_modules": ".*visual.*",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": "gaussian",
        "loftq_config": {},
        "lora_alpha": shape.alpha,
        "lora_bias": False,
        "lora_dropout": 0.0,
        "megatron_core": "megatron.core",
        "peft_type": "LORA",
        "r": shape.rank,
        "rank_pattern": {},
        "target_modules": PUBLISHED_TARGETS,
        "task_type": "FEATURE_EXTRACTION",
        "use_dora": False,
        "use_rslora": False,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))


def write_peft(model: torch.nn.Module, shape: Shape, folder: Path) -> None:
    """As PEFT writes it; its generated model card is removed and the base path, which names a temporary folder, replaced."""
    model.peft_config["default"].base_model_name_or_path = shape.name
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
