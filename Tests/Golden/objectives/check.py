"""How far the objectives through models lie from exact arithmetic: the same in float64 by the decoder of text/check.py.

    python objectives/check.py [FOLDER]     FOLDER holds what model.py wrote (default: beside this file)
"""

import json
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(GOLDEN)]

import torch
from formulas import Batch, Objective
from library import assert_agrees
from safetensors.torch import load_file
from text.check import Decoder, largest, relative

PROJECTOR = "base_model.model.multi_vector_projector"


class Model(Decoder):
    """The decoder and the projector, with the retrieval adapter."""

    def __init__(self, name: str):
        folder = GOLDEN / "text" / name
        facts = json.loads((folder / "golden.json").read_text())
        super().__init__(folder, facts["alpha"], facts["r"])
        published = load_file(folder / "published/adapter_model.safetensors")
        self.adapter |= {n: t.double() for n, t in published.items() if n.startswith(PROJECTOR) and ".retrieval." in n}
        self.adapter = {n: t.requires_grad_() for n, t in self.adapter.items()}

    def embed(self, segments: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        states = [self.states(ids)[-1] for ids in segments]
        a, b = (self.adapter[f"{PROJECTOR}.lora_{side}.retrieval.weight"] for side in "AB")
        weight, bias = (self.weights[f"multi_vector_projector.{part}"] for part in ("weight", "bias"))
        projected = [x @ weight.T + bias + self.scale * (x @ a.T @ b.T) for x in states]
        dense = torch.nn.functional.normalize(torch.stack([x.mean(0) for x in states]), dim=1)
        return dense, [x / x.norm(dim=1, keepdim=True) for x in projected]


def check(path: Path) -> None:
    facts, golden, model = json.loads(path.read_text()), load_file(path.with_suffix(".safetensors")), Model(path.stem)
    for case in facts["cases"]:
        rows = facts["rows"][case["rows"]]
        objective = Objective(case["settings"], Batch(**rows))
        offsets = golden[f"{case['rows']}.offsets"]
        dense, late = model.embed([golden[f"{case['rows']}.tokens"][a:b] for a, b in offsets.unfold(0, 2, 1).tolist()])
        assert [mask.nonzero().tolist() for mask in objective.masks(dense)] == [case["masked"], case["margin_masked"]]
        terms = objective.terms(dense, late)
        assert_agrees(objective, dense.detach(), [tokens.detach() for tokens in late], terms)
        value = objective.value(terms, dense)
        gradients = dict(zip(model.adapter, torch.autograd.grad(value, list(model.adapter.values()), allow_unused=True), strict=True))
        stored = {name: golden.get(f"{case['name']}.gradient.{name}") for name in gradients}
        assert all((stored[name] is None) == (g is None) for name, g in gradients.items()), "other factors have a gradient"
        worst = max(relative(stored[name], g) for name, g in gradients.items() if g is not None)
        vectors = max(largest(golden[f"{case['rows']}.dense"], dense), largest(golden[f"{case['rows']}.late"], torch.cat(late)))
        print(f"{path.stem:12} {case['name']:36} value {abs(value - case['value']) / value:.1e}  gradient {worst:.1e}  vectors {vectors:.1e}")


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name in ("flat-bf16", "nested-f32"):
        check(root / f"{name}.json")
