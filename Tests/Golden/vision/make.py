"""Golden values of images: transformers' Qwen2.5-VL with PEFT's LoRA, float32, eager attention, one thread.

    python vision/make.py [--output FOLDER]     writes merge-2/ and merge-3/ (default: beside this file)

Each row goes through the decoder alone. What the files hold: ../README.md.
"""

import argparse
import copy
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "text")]

import torch
from adapter import attach, random_adapters, write_published
from checkpoint import Random, Shape, Vision, load, write_checkpoint
from safetensors.torch import save_file

# Windows of 4 × 4 cells; of 2 × 2, since 30 / 3 / 4 is rounded down.
SMALL_PATCHES = Vision(3, 32, 2, 44, patch_size=6, window_size=48, fullatt_block_indexes=(1,))
WIDE_CELLS = Vision(4, 40, 2, 52, patch_size=4, spatial_merge_size=3, window_size=30, fullatt_block_indexes=(0, 3))
SHAPES = [
    Shape("merge-2", 30, 2, 48, 3, 1, 80, 96, (2, 3, 3), 1e6, 1e-6, (16, 48), rank=4, alpha=8, nested=False, vision=SMALL_PATCHES),
    Shape("merge-3", 31, 2, 64, 4, 2, 72, 64, (2, 2, 4), 1e4, 1e-5, (32, 64), rank=4, alpha=4, nested=True, vision=WIDE_CELLS),
]
# Frames, height and width in cells. A whole window, windows cut on one and on both sides, a single row, two frames.
CELLS = [(1, 4, 4), (1, 5, 3), (1, 1, 7), (1, 6, 6), (2, 2, 3)]
# Rows: numbers are runs of text tokens, lists are images by their index.
ROWS = [[5, [0], 3], [0, [1], 0], [2, [2], 4, [0], 1], [9], [0, [3], 6], [1, [1], 0, [2], 0, [0], 2]]


def token_ids(shape: Shape, row: list, random: Random) -> torch.Tensor:
    first = shape.vocabulary - 22
    ids = []
    for part in row:
        if isinstance(part, int):
            ids += random.generator.integers(0, first, part).tolist()
        else:
            frames, height, width = CELLS[part[0]]
            ids += [first + 9, *[first + 12] * (frames * height * width), first + 10]
    return torch.tensor(ids)


def images(row: list) -> list[int]:
    return [part[0] for part in row if isinstance(part, list)]


def pooled_span(shape: Shape, ids: torch.Tensor) -> slice:
    """From the first start marker to the last end marker; a text: everything."""
    first = shape.vocabulary - 22
    starts, ends = ((ids == first + marker).nonzero().flatten().tolist() for marker in (9, 10))
    return slice(starts[0], ends[-1] + 1) if starts else slice(0, len(ids))


class Inputs:
    """Random patches of all images, and the rows that hold them."""

    def __init__(self, shape: Shape):
        random, side = Random(shape.seed + 200), shape.vision.spatial_merge_size
        self.shape = shape
        self.grids = torch.tensor([(frames, side * height, side * width) for frames, height, width in CELLS])
        counts = self.grids.prod(dim=1).tolist()
        self.patches = [random.normal(count, 6 * shape.vision.patch_size**2, scale=1.0) for count in counts]
        self.rows = [token_ids(shape, row, random) for row in ROWS]
        self.embedding_gradient = random.normal(len(ROWS), shape.hidden, scale=1.0)

    def arguments(self, row: int) -> dict:
        """Of the model, for one row."""
        ids, used = self.rows[row][None], images(ROWS[row])
        arguments = {"input_ids": ids}
        if used:
            arguments["mm_token_type_ids"] = (ids == self.shape.vocabulary - 10).int()
            arguments |= {"image_grid_thw": self.grids[used], "pixel_values": torch.cat([self.patches[i] for i in used])}
        return arguments


def features(model: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """[tokens, hidden] of all images; each alone must give the same up to rounding."""
    together = model.model.get_image_features(torch.cat(inputs.patches), inputs.grids).pooler_output
    for image, expected in enumerate(together):
        alone = model.model.get_image_features(inputs.patches[image], inputs.grids[image : image + 1]).pooler_output[0]
        assert torch.allclose(alone, expected, atol=1e-5)
    return torch.cat(together)


def positions(model: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """[3, tokens of all rows]"""
    columns = []
    for row, ids in enumerate(inputs.rows):
        arguments = {name: value for name, value in inputs.arguments(row).items() if name != "pixel_values"}
        own = model.model.get_rope_index(**arguments)[0][:, 0] if images(ROWS[row]) else torch.arange(len(ids)).expand(3, -1)
        columns.append(own)
    return torch.cat(columns, dim=1)


def embeddings(model: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """[rows, hidden], unit length."""
    means = []
    for row, ids in enumerate(inputs.rows):
        states = model.model(**inputs.arguments(row), use_cache=False).last_hidden_state[0]
        means.append(states[pooled_span(inputs.shape, ids)].mean(dim=0))
    return torch.nn.functional.normalize(torch.stack(means), dim=1)


def make(shape: Shape, folder: Path) -> None:
    write_checkpoint(shape, folder / "model")
    adapters, inputs = random_adapters(shape), Inputs(shape)
    write_published(shape, adapters, folder / "published")
    bare = load(folder / "model")
    with torch.no_grad():
        tensors = {"features": features(bare, inputs), "positions": positions(bare, inputs).int()}
        tensors["bare.embeddings"] = embeddings(bare, inputs)
    model, trainable = attach(copy.deepcopy(bare), shape, adapters)
    found = embeddings(model.base_model.model, inputs)
    (found * inputs.embedding_gradient).sum().backward()
    tensors |= {"embeddings": found.detach(), "embedding_gradient": inputs.embedding_gradient}
    tensors |= {f"gradient.{name}": parameter.grad.clone() for name, parameter in trainable.items()}

    tensors |= {"patches": torch.cat(inputs.patches), "grids": inputs.grids.int(), "tokens": torch.cat(inputs.rows).int()}
    tensors["offsets"] = torch.tensor([0, *map(len, inputs.rows)]).cumsum(0).int()
    used = [images(row) for row in ROWS]
    tensors["images"] = torch.tensor([image for row in used for image in row]).int()
    tensors["image_offsets"] = torch.tensor([0, *map(len, used)]).cumsum(0).int()
    save_file({n: t.contiguous() for n, t in tensors.items()}, folder / "golden.safetensors", metadata={"format": "pt"})
    facts = f'{{"task": "retrieval", "r": {shape.rank}, "alpha": {shape.alpha}}}\n'
    (folder / "golden.json").write_text(facts)
    print(shape.name, "features", tuple(tensors["features"].shape), "embeddings", tuple(found.shape))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    for shape in SHAPES:
        make(shape, arguments.output / shape.name)
