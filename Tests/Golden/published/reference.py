"""The same model in transformers and PEFT: the backbone's own class, the adapters of all tasks side by side, the projector a plain linear.

Every tensor of the files must find its place, and every place its tensor. No code of the checkpoint's folder is run.
"""

import json
from contextlib import nullcontext
from pathlib import Path

import torch
from inputs import IMAGE_PROMPT, MIN_PIXELS, PICTURES, TEXTS
from peft import LoraConfig, PeftModel, get_peft_model
from peft_roundtrip import prefix
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor

PROJECTOR = "multi_vector_projector"


class Checkpoint:
    """What the folder holds, by its configuration and the headers of its files."""

    def __init__(self, folder: Path):
        self.folder, config = folder, json.loads((folder / "config.json").read_text())
        self.places: dict[str, Path] = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, "pt") as stored:
                self.places |= dict.fromkeys(stored.keys(), file)
        self.tasks = config.get("task_names") or ["retrieval", "text-matching", "code"]
        self.adapters = folder / "adapters" if (folder / "adapters/adapter_config.json").exists() else None
        self.has_projector = f"{PROJECTOR}.weight" in self.places
        self.has_tower = any("visual." in name for name in self.places) and (folder / "preprocessor_config.json").exists()
        self.layers = config.get("text_config", config)["num_hidden_layers"]
        self.blocks = config["vision_config"]["depth"] if self.has_tower else 0

    def tensor(self, name: str) -> torch.Tensor:
        with safe_open(self.places[name], "pt") as stored:
            return stored.get_tensor(name)


class Reference:
    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype):
        self.checkpoint = checkpoint
        self.tokenizer = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json"))
        self.model = load(checkpoint, dtype)
        self.adapted = attach(self.model, checkpoint) if checkpoint.adapters else None
        self.pictures = [self.picture(path) for path in PICTURES] if checkpoint.has_tower else []

    @torch.no_grad()
    def embed(self, task: str, adapted: bool) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Of each input, texts before pictures, its vector [width] and its token vectors [tokens, width]; float32, unit length."""
        single, late = [], []
        if adapted:
            self.adapted.set_adapter(task)
        with self.adapted.disable_adapter() if self.adapted and not adapted else nullcontext():
            for arguments in [*(self.text(task, entry.prompt, entry.text) for entry in TEXTS), *self.pictures]:
                states = self.model.model(**arguments, use_cache=False).last_hidden_state[0]
                pooled = states[self.pooled_span(arguments)].float().mean(dim=0)
                single.append(torch.nn.functional.normalize(pooled, dim=0))
                if self.checkpoint.has_projector:
                    late.append(torch.nn.functional.normalize(getattr(self.model, PROJECTOR)(states).float(), dim=1))
        return single, late

    def text(self, task: str, prompt: str, text: str) -> dict:
        return {"input_ids": torch.tensor([self.tokenizer.encode(prefix(task, prompt) + text).ids])}

    def picture(self, path: Path) -> dict:
        """The prompt with a mark for every token of the picture, and its patches. Turned here, laid on white by the processor."""
        processor = Qwen2VLImageProcessor.from_pretrained(self.checkpoint.folder)
        processor.size = {"shortest_edge": MIN_PIXELS, "longest_edge": processor.size["longest_edge"]}
        processed = processor(ImageOps.exif_transpose(Image.open(path)), return_tensors="pt")
        grid, mark = processed["image_grid_thw"], self.tokenizer.token_to_id("<|image_pad|>")
        count = grid.prod().item() // processor.merge_size**2
        ids = torch.tensor([self.tokenizer.encode(IMAGE_PROMPT.replace("<|image_pad|>", "<|image_pad|>" * count)).ids])
        patches = processed["pixel_values"].to(self.model.dtype)
        return {"input_ids": ids, "mm_token_type_ids": (ids == mark).int(), "image_grid_thw": grid, "pixel_values": patches}

    def pooled_span(self, arguments: dict) -> slice:
        """From the start to the end marker of a picture; a text: everything."""
        ids = arguments["input_ids"][0].tolist()
        if "pixel_values" not in arguments:
            return slice(0, len(ids))
        start, end = (ids.index(self.tokenizer.token_to_id(f"<|vision_{side}|>")) for side in ("start", "end"))
        return slice(start, end + 1)


def load(checkpoint: Checkpoint, dtype: torch.dtype) -> torch.nn.Module:
    """Mapped where `dtype` is the file's own, else widened."""
    model, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        checkpoint.folder, dtype=dtype, attn_implementation="eager", output_loading_info=True
    )
    astray = {name for name in info["unexpected_keys"] if PROJECTOR not in name} | set(info["mismatched_keys"])
    astray |= {name for name in info["missing_keys"] if checkpoint.has_tower or "visual." not in name}
    if astray:
        raise SystemExit(f"transformers does not place or find {sorted(astray)[:4]}")
    if checkpoint.has_projector:
        weight, bias = (checkpoint.tensor(f"{PROJECTOR}.{part}") for part in ("weight", "bias"))
        projector = torch.nn.Linear(*weight.T.shape, dtype=dtype)
        projector.load_state_dict({"weight": weight, "bias": bias})
        model.add_module(PROJECTOR, projector)
    return model.eval().requires_grad_(False)


def attach(model: torch.nn.Module, checkpoint: Checkpoint) -> PeftModel:
    """Each task under its own name, which makes PEFT's names those of the file."""
    config = LoraConfig.from_pretrained(checkpoint.adapters)
    adapted = get_peft_model(model, config, adapter_name=checkpoint.tasks[0], autocast_adapter_dtype=False)
    for task in checkpoint.tasks[1:]:
        adapted.add_adapter(task, config, autocast_adapter_dtype=False)
    stored = load_file(checkpoint.adapters / "adapter_model.safetensors")
    stored = {name.replace(".default.", "."): tensor for name, tensor in stored.items()}
    held = {name: parameter for name, parameter in adapted.named_parameters() if ".lora_" in name}
    if held.keys() != stored.keys():
        raise SystemExit(f"PEFT and {checkpoint.adapters} differ in {sorted(held.keys() ^ stored.keys())[:4]}")
    with torch.no_grad():
        for name, parameter in held.items():
            parameter.copy_(stored[name])
    return adapted.eval()
