"""Golden values of torch's AdamW on given gradients, and of transformers' schedules.

    python adamw/make.py [--output FOLDER]     writes golden.safetensors, golden.json and schedules.json (default: beside this file)

What the files hold: ../README.md.
"""

import argparse
import json
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

SIZE, STEPS = 37, 12
SCHEDULES = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}
RUNS = {
    "plain": {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01, "schedule": "linear", "warmup_steps": 0},
    "warmed": {"lr": 5e-2, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1, "schedule": "cosine", "warmup_steps": 3},
}
SCHEDULE_CASES = [(1, 0), (10, 0), (10, 3), (25, 1), (25, 10), (5, 5)]


def gradients() -> torch.Tensor:
    """[steps, size] float32: element 0 is always zero, 1 is tiny, 2 is huge, 3 vanishes after the first step."""
    generator = numpy.random.Generator(numpy.random.PCG64(37))
    values = generator.standard_normal((STEPS, SIZE)) * 10.0 ** generator.integers(-6, 1, SIZE)
    values[:, 0] = 0
    values[:, 1] = 1e-12 * generator.standard_normal(STEPS)
    values[:, 2] = 1e3 * generator.standard_normal(STEPS)
    values[1:, 3] = 0
    return torch.from_numpy(values.astype(numpy.float32))


def run(settings: dict, start: torch.Tensor, given: torch.Tensor) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Parameters and moments after each update, and the rate each update used."""
    parameter = torch.nn.Parameter(start.clone())
    keys = ("lr", "betas", "eps", "weight_decay")
    optimizer = torch.optim.AdamW([parameter], **{k: settings[k] for k in keys}, foreach=False, fused=False)
    schedule = SCHEDULES[settings["schedule"]](optimizer, settings["warmup_steps"], STEPS)
    history, rates = {"parameters": [], "first_moments": [], "second_moments": []}, []
    for gradient in given:
        rates.append(schedule.get_last_lr()[0])
        parameter.grad = gradient.clone()
        optimizer.step()
        schedule.step()
        state = optimizer.state[parameter]
        for name, tensor in zip(history, (parameter.detach(), state["exp_avg"], state["exp_avg_sq"]), strict=True):
            history[name].append(tensor.clone())
    return {name: torch.stack(rows) for name, rows in history.items()}, rates


def factors(name: str, steps: int, warm_up: int) -> list[float]:
    """What update k = 1...steps multiplies the base rate by."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, values = SCHEDULES[name](optimizer, warm_up, steps), []
    for _ in range(steps):
        values.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return values


def make(folder: Path) -> None:
    generator = numpy.random.Generator(numpy.random.PCG64(12))
    start = torch.from_numpy(generator.standard_normal(SIZE).astype(numpy.float32))
    tensors, facts = {"start": start, "gradients": gradients()}, {}
    for name, settings in RUNS.items():
        history, rates = run(settings, start, tensors["gradients"])
        tensors |= {f"{name}.{key}": value for key, value in history.items()}
        facts[name] = settings | {"max_steps": STEPS, "learning_rates": rates}
    save_file(tensors, folder / "golden.safetensors", metadata={"format": "pt"})
    (folder / "golden.json").write_text(json.dumps(facts, indent=2) + "\n")
    cases = [
        {"lr_scheduler_type": name, "max_steps": steps, "warmup_steps": warm_up, "factors": factors(name, steps, warm_up)}
        for name in SCHEDULES
        for steps, warm_up in SCHEDULE_CASES
    ]
    (folder / "schedules.json").write_text(json.dumps(cases, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    make(arguments.output)
