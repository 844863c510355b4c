"""Golden values of the text path: transformers' Qwen2.5-VL with PEFT's LoRA, float32, eager attention, one thread.

    python text/make.py [--output FOLDER]     writes flat-bf16/ and nested-f32/ (default: beside this file)

Each sequence goes through the model alone: no padding, no packing. What the files hold: ../README.md.
"""

import argparse
import copy
import json
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import torch
from adapter import attach, golden_names, random_adapters, write_peft, write_published
from checkpoint import SHAPES, Random, Shape, load, write_checkpoint
from infonce import masked_columns, row_losses
from safetensors.torch import save_file
from transformers import get_linear_schedule_with_warmup

LENGTHS = [7, 23, 12, 1, 40, 3, 33, 17, 5, 28, 9, 2, 1, 14]
ANCHORS, POSITIVES, NEGATIVES, NEGATIVE_ROWS = [0, 3, 5, 8, 11], [1, 4, 6, 9, 12], [2, 7, 10, 13], [0, 2, 3, 4]
TRACED = 7
TEMPERATURE = 0.05
STEPS, WARM_UP, LEARNING_RATE, WEIGHT_DECAY, MAX_NORM = 10, 2, 1e-3, 0.01, 1.0
# The batch with duplicates: row 3 has the positive of row 1, the second negative is the positive of row 0.
DUPLICATE_POSITIVES, DUPLICATE_NEGATIVES = [1, 4, 6, 4, 12], [2, 1, 10, 13]


def token_ids(shape: Shape) -> list[torch.Tensor]:
    generator = Random(shape.seed + 200).generator
    return [torch.from_numpy(generator.integers(0, shape.vocabulary - 22, length)) for length in LENGTHS]


def final_states(model: torch.nn.Module, segments: list[torch.Tensor]) -> list[torch.Tensor]:
    """[tokens, hidden] after the final norm, for each segment."""
    return [model.model(input_ids=ids[None], use_cache=False).last_hidden_state[0] for ids in segments]


def pooled(states: list[torch.Tensor]) -> torch.Tensor:
    """[segments, hidden]: mean over all tokens, unit length."""
    return torch.nn.functional.normalize(torch.stack([state.mean(dim=0) for state in states]), dim=1)


def trace(model: torch.nn.Module, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """The stream before layer 0, after each layer, and after the final norm."""
    decoder = model.model.language_model
    streams = [decoder.embed_tokens(ids)]
    hooks = [layer.register_forward_hook(lambda _, __, output: streams.append(output[0])) for layer in decoder.layers]
    final = final_states(model, [ids])[0]
    for hook in hooks:
        hook.remove()
    return {f"hidden.{i}": stream for i, stream in enumerate(streams)} | {"hidden.final": final}


def three_streams(model: torch.nn.Module, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same sequence with positions that differ between time, height and width, as an image's tokens have them."""
    index = torch.arange(len(ids))
    positions = torch.stack([index, index // 3 + 2, 2 * (index % 5)])
    output = model.model.language_model(inputs_embeds=model.get_input_embeddings()(ids)[None], position_ids=positions[:, None])
    return {"mrope.positions": positions.int(), "mrope.final": output.last_hidden_state[0]}


def contrast(embeddings: torch.Tensor, positives: list[int], negatives: list[int], mask: bool) -> torch.Tensor:
    masked = masked_columns(ANCHORS, positives, negatives) if mask else None
    return row_losses(embeddings[ANCHORS], embeddings[positives + negatives], TEMPERATURE, masked)


def losses(embeddings: torch.Tensor) -> tuple[dict[str, torch.Tensor], dict]:
    """Values and embedding gradients of the plain batch and of the batch with duplicates, masked and not."""
    cases = {
        "batch": (POSITIVES, NEGATIVES, False),
        "duplicates.masked": (DUPLICATE_POSITIVES, DUPLICATE_NEGATIVES, True),
        "duplicates.unmasked": (DUPLICATE_POSITIVES, DUPLICATE_NEGATIVES, False),
    }
    tensors, scalars = {}, {}
    for name, arguments in cases.items():
        leaf = embeddings.detach().clone().requires_grad_()
        rows = contrast(leaf, *arguments)
        rows.mean().backward()
        tensors[f"{name}.embedding_gradient"] = leaf.grad
        scalars[name] = {"loss": rows.mean().item(), "row_losses": rows.tolist()}
    return tensors, scalars


def adapter_gradient(model, trainable: dict[str, torch.nn.Parameter], segments: list[torch.Tensor]) -> float:
    model.zero_grad()
    loss = contrast(pooled(final_states(model.base_model.model, segments)), POSITIVES, NEGATIVES, mask=False).mean()
    loss.backward()
    return loss.item()


def train(model, trainable: dict[str, torch.nn.Parameter], segments: list[torch.Tensor]) -> dict:
    """Ten updates on the same batch. Changes the parameters."""
    parameters = list(trainable.values())
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, WARM_UP, STEPS)
    record = {"losses": [], "gradient_norms": [], "learning_rates": []}
    for _ in range(STEPS):
        record["losses"].append(adapter_gradient(model, trainable, segments))
        record["learning_rates"].append(schedule.get_last_lr()[0])
        record["gradient_norms"].append(torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM).item())
        optimizer.step()
        schedule.step()
    record["final_loss"] = adapter_gradient(model, trainable, segments)
    return record


def make(shape: Shape, folder: Path) -> None:
    write_checkpoint(shape, folder / "model")
    adapters, segments = random_adapters(shape), token_ids(shape)
    write_published(shape, adapters, folder / "published")
    bare = load(folder / "model")
    with torch.no_grad():
        tensors = {"bare.embeddings": pooled(final_states(bare, segments))}
    model, trainable = attach(copy.deepcopy(bare), shape, adapters)
    write_peft(model, shape, folder / "peft")

    with torch.no_grad():
        states = final_states(model.base_model.model, segments)
        tensors |= {"final": torch.cat(states), "embeddings": pooled(states)}
        tensors |= trace(model.base_model.model, segments[TRACED]) | three_streams(model.base_model.model, segments[TRACED])
    loss_tensors, scalars = losses(tensors["embeddings"])
    tensors |= loss_tensors
    assert adapter_gradient(model, trainable, segments) == scalars["batch"]["loss"]
    tensors |= {f"gradient.{name}": parameter.grad.clone() for name, parameter in trainable.items()}
    scalars["training"] = train(model, trainable, segments)
    tensors |= {f"trained.{name}": parameter.detach().clone() for name, parameter in trainable.items()}

    tensors["tokens"] = torch.cat(segments).int()
    tensors["offsets"] = torch.tensor([0, *LENGTHS]).cumsum(0).int()
    save_file({n: t.contiguous() for n, t in tensors.items()}, folder / "golden.safetensors", metadata={"format": "pt"})
    roles = {"anchors": ANCHORS, "positives": POSITIVES, "negatives": NEGATIVES, "negative_rows": NEGATIVE_ROWS}
    duplicate_roles = {"positives": DUPLICATE_POSITIVES, "negatives": DUPLICATE_NEGATIVES}
    settings = {
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "warmup_steps": WARM_UP,
        "max_steps": STEPS,
        "max_grad_norm": MAX_NORM,
        "lr_scheduler_type": "linear",
    }
    facts = {"task": "retrieval", "r": shape.rank, "alpha": shape.alpha, "temperature": TEMPERATURE, "traced_segment": TRACED}
    facts |= {"batch": roles | scalars["batch"], "duplicates": duplicate_roles, "training": settings | scalars["training"]}
    facts["duplicates"] |= {k: scalars[f"duplicates.{k}"] for k in ("masked", "unmasked")}
    (folder / "golden.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(shape.name, "losses", [round(x, 5) for x in scalars["training"]["losses"]], scalars["training"]["final_loss"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    for shape in SHAPES:
        make(shape, arguments.output / shape.name)
