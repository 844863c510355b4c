"""The peer of `benchmark images`: Pillow, torch and transformers over the same files.

    python images.py --folders FOLDER ... [--threads 1 2]

Stages: decoding by Pillow; torch's 8-bit bicubic and Pillow's; normalising and cutting as transformers' two image processors do;
and all of it through Qwen2VLImageProcessor, as a data loader calls it. Every image is a task of a thread, torch itself has one.
Printed are images a second, the best of five passes after one. Besides what requirements.txt names this needs the torchvision that was
built for the torch at hand.
"""

import argparse
import concurrent.futures
import dataclasses
import io
import json
import time
import warnings
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
import transformers
from PIL import Image
from statistic import Statistic
from torchvision.transforms.v2 import functional as tvF
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor, smart_resize

LIMITS = {"shortest_edge": 3136, "longest_edge": 602112}
PROCESSOR = Qwen2VLImageProcessor(size=LIMITS)


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folders", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, help="where the figures go, JSON")
    return parser.parse_args()


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


class File:
    """A file in memory, with what each stage begins from."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.image = decode(self.data)
        self.planes = tvF.pil_to_tensor(self.image)
        self.size = smart_resize(self.image.height, self.image.width, min_pixels=3136, max_pixels=602112)
        self.scaled = self.resize()

    def resize(self) -> torch.Tensor:
        return torch.nn.functional.interpolate(self.planes[None], size=self.size, mode="bicubic", antialias=True)

    def resize_pillow(self) -> Image.Image:
        return self.image.resize(self.size[::-1], Image.Resampling.BICUBIC)

    def normalise(self) -> np.ndarray:
        values = PROCESSOR.rescale_and_normalize(
            self.scaled, True, PROCESSOR.rescale_factor, True, tuple(PROCESSOR.image_mean), tuple(PROCESSOR.image_std)
        )
        return PROCESSOR.patchify(values, 14, 2, 2)[0].numpy()

    def all(self) -> np.ndarray:
        return PROCESSOR([decode(self.data)], return_tensors="pt")["pixel_values"].numpy()


STAGES = {
    "decode": lambda file: decode(file.data),
    "resize": File.resize,
    "resize (pillow)": File.resize_pillow,
    "normalise": File.normalise,
    "all": File.all,
}


def files(folders: list[Path]) -> list[File]:
    found = []
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        try:
            found.append(File(path))
        except (OSError, ValueError):
            continue
    return found


def rate(images: list[File], stage, threads: int) -> Statistic:
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        seconds = []
        for _ in range(6):
            start = time.perf_counter()
            if threads == 1:
                for file in images:
                    stage(file)
            else:
                list(pool.map(stage, images))
            seconds.append(time.perf_counter() - start)
    return Statistic.rate([len(images)], [seconds[1:]])


def main() -> None:
    arguments = settings()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    images = files(arguments.folders)
    rates = {threads: {name: rate(images, stage, threads) for name, stage in STAGES.items()} for threads in arguments.threads}
    for threads, stages in rates.items():
        print(f"{threads} threads: " + ", ".join(f"{name} {value.best:.1f}" for name, value in stages.items()) + " images/s")
    if arguments.output:
        modules = (PIL, torch, torchvision, transformers)
        versions = {("Pillow" if module is PIL else module.__name__): module.__version__ for module in modules}
        found = {threads: {name: dataclasses.asdict(value) for name, value in stages.items()} for threads, stages in rates.items()}
        figures = {"versions": versions, "images": len(images), "images_per_second": found}
        arguments.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
