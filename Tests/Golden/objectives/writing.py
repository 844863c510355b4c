"""The two files of a layer: batches and cases as JSON, a line each, and the tensors."""

import json
from pathlib import Path

import torch
from cases import Case
from formulas import DEFAULTS, Batch, Objective
from safetensors.torch import save_file


def entry(case: Case, objective: Objective, dense: torch.Tensor, value: torch.Tensor, terms: dict) -> dict:
    """What a case's entry in the JSON file says."""
    duplicates, margin = (mask.nonzero().tolist() for mask in objective.masks(dense))
    found = {name: [one.item() for one in ones] for name, ones in terms.items()}
    facts = {"name": case.name, "rows": case.rows, "settings": objective.given, "masked": duplicates, "margin_masked": margin}
    return facts | {"value": value.item(), "terms": found}


def write(path: Path, batches: dict[str, Batch], cases: list[dict], tensors: dict[str, torch.Tensor]) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path.with_suffix(".safetensors"), metadata={"format": "pt"})
    entries = lambda items: ",\n".join(f"    {item}" for item in items)
    rows = entries(f'"{name}": {json.dumps(batch.facts())}' for name, batch in batches.items())
    defaults = json.dumps(DEFAULTS)
    text = f'{{\n  "defaults": {defaults},\n  "rows": {{\n{rows}\n  }},\n  "cases": [\n{entries(map(json.dumps, cases))}\n  ]\n}}\n'
    assert json.loads(text)["defaults"] == DEFAULTS
    path.with_suffix(".json").write_text(text)
