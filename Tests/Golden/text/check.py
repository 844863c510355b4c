"""How far the committed float32 goldens lie from exact arithmetic.

Recomputes everything in float64 from the files on disk (checkpoint, published adapter, token ids) with the decoder written out
by hand, so that it also proves the conventions of ../README.md without transformers, PEFT or torch's optimizer.

    python text/check.py [FOLDER]
"""

import json
import math
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import torch
from infonce import masked_columns, row_losses
from safetensors.torch import load_file

PREFIX = "base_model.model.model.language_model"


class Decoder:
    """The text decoder with the retrieval adapter, float64."""

    def __init__(self, folder: Path, alpha: float, rank: int):
        config = json.loads((folder / "model/config.json").read_text())
        self.config = config.get("text_config", config)
        self.rope = self.config.get("rope_parameters") or self.config["rope_scaling"] | {"rope_theta": self.config["rope_theta"]}
        stored = {}
        for file in sorted((folder / "model").glob("*.safetensors")):
            stored |= load_file(file)
        self.weights = {n.replace("model.language_model.", "model.").removeprefix("model."): t.double() for n, t in stored.items()}
        published = load_file(folder / "published/adapter_model.safetensors")
        self.adapter = {n: t.double() for n, t in published.items() if ".retrieval." in n and "projector" not in n}
        self.scale = alpha / rank
        self.heads, self.kv_heads = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        self.head = self.config["hidden_size"] // self.heads

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        y = x @ self.weights[f"{name}.weight"].T
        if f"{name}.bias" in self.weights:
            y = y + self.weights[f"{name}.bias"]
        if not self.adapter:
            return y
        a, b = (self.adapter[f"{PREFIX}.{name}.lora_{side}.retrieval.weight"] for side in "AB")
        return y + self.scale * (x @ a.T @ b.T)

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"])
        return x * scale * self.weights[f"{name}.weight"]

    def angles(self, positions: torch.Tensor) -> torch.Tensor:
        """[tokens, head / 2] from positions [3, tokens]: slots in three runs, for time, height and width."""
        slots = torch.arange(self.head // 2, dtype=torch.float64)
        stream = torch.repeat_interleave(torch.arange(3), torch.tensor(self.rope["mrope_section"]))
        return positions.double()[stream].T * self.rope["rope_theta"] ** (-2 * slots / self.head)

    def rotate(self, x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
        first, second = x.chunk(2, dim=-1)
        cosine, sine = angles.cos(), angles.sin()
        return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)

    def attention(self, name: str, x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
        q, k, v = (self.linear(f"{name}.{p}_proj", x).unflatten(-1, (-1, self.head)).transpose(0, 1) for p in "qkv")
        q, k = self.rotate(q, angles), self.rotate(k, angles)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, dim=0) for t in (k, v))
        future = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
        scores = (q @ k.mT / math.sqrt(self.head)).masked_fill(future, float("-inf"))
        return self.linear(f"{name}.o_proj", (scores.softmax(-1) @ v).transpose(0, 1).flatten(1))

    def states(self, ids: torch.Tensor, positions: torch.Tensor | None = None) -> list[torch.Tensor]:
        """The stream before layer 0, after each layer, after the final norm."""
        positions = torch.arange(len(ids)).expand(3, -1) if positions is None else positions
        angles, streams = self.angles(positions), [self.weights["embed_tokens.weight"][ids.long()]]
        for layer in range(self.config["num_hidden_layers"]):
            name, h = f"layers.{layer}", streams[-1]
            h = h + self.attention(f"{name}.self_attn", self.norm(f"{name}.input_layernorm", h), angles)
            x = self.norm(f"{name}.post_attention_layernorm", h)
            gated = torch.nn.functional.silu(self.linear(f"{name}.mlp.gate_proj", x)) * self.linear(f"{name}.mlp.up_proj", x)
            streams.append(h + self.linear(f"{name}.mlp.down_proj", gated))
        return [*streams, self.norm("norm", streams[-1])]

    def embeddings(self, segments: list[torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.stack([self.states(ids)[-1].mean(0) for ids in segments]), dim=1)


def batch_loss(embeddings: torch.Tensor, facts: dict, case: dict, mask: torch.Tensor | None = None) -> torch.Tensor:
    candidates = case["positives"] + case["negatives"]
    return row_losses(embeddings[facts["batch"]["anchors"]], embeddings[candidates], facts["temperature"], mask).mean()


def train(decoder: Decoder, segments: list[torch.Tensor], facts: dict) -> tuple[list[float], list[float]]:
    """AdamW, clipping and the schedule written out. Returns losses (the one after the last update included) and norms."""
    settings, losses, norms = facts["training"], [], []
    moments = {n: (torch.zeros_like(p), torch.zeros_like(p)) for n, p in decoder.adapter.items()}
    steps, warm_up = settings["max_steps"], settings["warmup_steps"]
    for step in range(1, steps + 1):
        gradients = dict(zip(decoder.adapter, gradient(decoder, segments, facts, losses), strict=True))
        norms.append(math.sqrt(sum(g.square().sum().item() for g in gradients.values())))
        clip = min(1, settings["max_grad_norm"] / (norms[-1] + 1e-6))
        factor = (step - 1) / warm_up if step - 1 < warm_up else (steps - step + 1) / (steps - warm_up)
        rate = settings["learning_rate"] * factor
        for name, parameter in decoder.adapter.items():
            g, (m, v) = gradients[name] * clip, moments[name]
            m.mul_(0.9).add_(0.1 * g)
            v.mul_(0.999).add_(0.001 * g * g)
            decayed = parameter.detach() * (1 - rate * settings["weight_decay"])
            denominator = (v / (1 - 0.999**step)).sqrt() + 1e-8
            decoder.adapter[name] = decayed - rate * (m / (1 - 0.9**step)) / denominator
    gradient(decoder, segments, facts, losses)
    return losses, norms


def gradient(decoder: Decoder, segments: list[torch.Tensor], facts: dict, losses: list[float]) -> tuple[torch.Tensor, ...]:
    decoder.adapter = {n: p.detach().requires_grad_() for n, p in decoder.adapter.items()}
    loss = batch_loss(decoder.embeddings(segments), facts, facts["batch"])
    losses.append(loss.item())
    return torch.autograd.grad(loss, list(decoder.adapter.values()))


def relative(found: torch.Tensor, exact: torch.Tensor) -> float:
    return ((found.double() - exact).norm() / exact.norm()).item()


def largest(found, exact) -> float:
    return (torch.as_tensor(found).double() - torch.as_tensor(exact).double()).abs().max().item()


def check(folder: Path) -> dict[str, float]:
    facts, golden = json.loads((folder / "golden.json").read_text()), load_file(folder / "golden.safetensors")
    segments = [golden["tokens"][a:b] for a, b in golden["offsets"].unfold(0, 2, 1).tolist()]
    decoder = Decoder(folder, facts["alpha"], facts["r"])
    traced = segments[facts["traced_segment"]]
    with torch.no_grad():
        streams = decoder.states(traced)
        names = [f"hidden.{i}" for i in range(len(streams) - 1)] + ["hidden.final"]
        embeddings = decoder.embeddings(segments)
        report = {"hidden states, largest difference": max(map(largest, (golden[n] for n in names), streams))}
        report["three streams, largest difference"] = largest(golden["mrope.final"], decoder.states(traced, golden["mrope.positions"])[-1])
        report["embeddings, largest difference"] = largest(golden["embeddings"], embeddings)
    report |= check_losses(embeddings, facts, golden)
    losses: list[float] = []
    gradients = gradient(decoder, segments, facts, losses)
    differences = {n: relative(golden[f"gradient.{n}"], g) for n, g in zip(decoder.adapter, gradients, strict=True)}
    report["adapter gradients, largest relative norm"] = max(differences.values())
    losses, norms = train(decoder, segments, facts)
    recorded = facts["training"]
    report["ten losses and the last, largest difference"] = largest([*recorded["losses"], recorded["final_loss"]], losses)
    report["gradient norms, largest relative difference"] = max(abs(a / b - 1) for a, b in zip(recorded["gradient_norms"], norms, strict=True))
    report["trained adapter, largest relative norm"] = max(relative(golden[f"trained.{n}"], p) for n, p in decoder.adapter.items())
    decoder.adapter = {}
    report["bare embeddings, largest difference"] = largest(golden["bare.embeddings"], decoder.embeddings(segments))
    return report


def check_losses(embeddings: torch.Tensor, facts: dict, golden: dict[str, torch.Tensor]) -> dict[str, float]:
    batch, duplicates = facts["batch"], facts["duplicates"]
    masked = masked_columns(batch["anchors"], duplicates["positives"], duplicates["negatives"])
    cases = {
        "batch": (batch, None, batch["loss"]),
        "duplicates.masked": (duplicates, masked, duplicates["masked"]["loss"]),
        "duplicates.unmasked": (duplicates, None, duplicates["unmasked"]["loss"]),
    }
    values, gradients = [], []
    for name, (roles, mask, recorded) in cases.items():
        leaf = embeddings.clone().requires_grad_()
        loss = batch_loss(leaf, facts, roles, mask)
        loss.backward()
        values.append(abs(loss.item() - recorded))
        gradients.append(relative(golden[f"{name}.embedding_gradient"], leaf.grad))
    return {"losses, largest difference": max(values), "embedding gradients, largest relative norm": max(gradients)}


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for folder in sorted(path.parent for path in root.glob("*/golden.json")):
        for line, value in check(folder).items():
            print(f"{folder.name:12} {line:48} {value:.1e}")
