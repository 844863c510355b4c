"""Writes files/, small.json, small.safetensors and, where the folder of test data is, real.json.

    python images/make.py [FOLDER OF TEST DATA]      # by default ../shared/data beside the package

Pillow decodes; torch's 8-bit bicubic and Pillow's resize; transformers' two image processors give the patches. Large arrays are
kept as SHA-256 of their bytes (8-bit RGB, float32 little-endian).
"""

import hashlib
import io
import json
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFile
from safetensors.numpy import save_file
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor, smart_resize

import pictures

FOLDER = Path(__file__).resolve().parent
LIMITS = {"shortest_edge": 3136, "longest_edge": 602112}
PROCESSORS = {"torchvision": Qwen2VLImageProcessor(size=LIMITS), "pillow": Qwen2VLImageProcessorPil(size=LIMITS)}
# Whose arrays are kept whole.
WHOLE = ["rgb-8.png", "420.jpg", "shape-56x61.png", "shape-1x3.png"]
CUTS, SEED = 20, 20250601


def sha(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def decoded(data: bytes) -> np.ndarray | None:
    """Pillow's pixels; None where it refuses the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception:
        return None


def resized(rgb: np.ndarray, backend: str, height: int, width: int) -> np.ndarray:
    if rgb.shape[:2] == (height, width):
        return rgb
    if backend == "pillow":
        return np.array(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))
    planes = torch.from_numpy(rgb).permute(2, 0, 1).contiguous()[None]
    scaled = torch.nn.functional.interpolate(planes, size=(height, width), mode="bicubic", antialias=True)
    return scaled[0].permute(1, 2, 0).numpy()


def processed(rgb: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By backend: the scaled picture and the patches; nothing for a shape that is refused."""
    try:
        height, width = smart_resize(*rgb.shape[:2], min_pixels=LIMITS["shortest_edge"], max_pixels=LIMITS["longest_edge"])
    except ValueError:
        return {}
    results = {}
    for backend, processor in PROCESSORS.items():
        values = processor([Image.fromarray(rgb)], return_tensors="np")
        if values["image_grid_thw"].tolist() != [[1, height // 14, width // 14]]:
            raise SystemExit(f"{backend}: grid {values['image_grid_thw']} for {height} x {width}")
        results[backend] = (resized(rgb, backend, height, width), np.asarray(values["pixel_values"]))
    return results


def cuts(name: str, data: bytes) -> dict:
    """Where the file is cut, and the pixels' hash where Pillow still decodes what is left."""
    places = sorted(random.Random(f"{SEED} {name}").sample(range(len(data)), min(CUTS, len(data))))
    hashes = {str(place): decoded(data[:place]) for place in places}
    return {"cuts": places, "survived": {place: sha(rgb) for place, rgb in hashes.items() if rgb is not None}}


def record(name: str, data: bytes, arrays: dict[str, np.ndarray]) -> dict:
    rgb = decoded(data)
    if rgb is None:
        return {"file": name, "decodes": False}
    entry = {"file": name, "decodes": True, "width": rgb.shape[1], "height": rgb.shape[0], "rgb": sha(rgb)}
    for backend, (scaled, patches) in processed(rgb).items():
        entry["grid"] = [scaled.shape[0] // 14, scaled.shape[1] // 14]
        entry[backend] = {"resized": sha(scaled), "patches": sha(patches)}
        if name in WHOLE:
            arrays |= {f"{name}.rgb": rgb, f"{name}.{backend}.resized": scaled, f"{name}.{backend}.patches": patches[:4]}
    return entry | ({} if name.startswith("malformed/") else cuts(name, data))


def write(name: str, entries: list[dict]) -> None:
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n")


def main() -> None:
    torch.set_num_threads(1)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    arrays: dict[str, np.ndarray] = {}
    files = pictures.write(FOLDER / "files")
    write("small.json", [record(file.name, file.read_bytes(), arrays) for file in files])
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, FOLDER / "small.safetensors")
    data = Path(sys.argv[1] if len(sys.argv) > 1 else FOLDER.parents[3] / "shared/data") / "images"
    if not data.exists():
        return print(f"{data} is absent: real.json stays as it is", file=sys.stderr)
    names = sorted(json.loads(line)["file"] for line in (data / "manifest.jsonl").read_text().splitlines())
    write("real.json", [record(name, (data / name).read_bytes(), {}) for name in names])


if __name__ == "__main__":
    main()
