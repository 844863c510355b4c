"""What `shoal embed` gives for the inputs."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import torch
from inputs import MIN_PIXELS, PICTURES, TEXTS
from safetensors.torch import load_file


@dataclass(frozen=True)
class Program:
    shoal: Path
    model: Path
    dtype: str
    images: bool
    scratch: Path

    def embed(self, task: str, adapted: bool, late: bool) -> list[torch.Tensor]:
        """One tensor an input, texts before pictures: [width], or [tokens, width] of token vectors."""
        texts, output = self.scratch / "texts.jsonl", self.scratch / "vectors.safetensors"
        texts.write_text("".join(json.dumps({"text": entry.text, "prompt": entry.prompt}) + "\n" for entry in TEXTS))
        command = [self.shoal, "embed", "--model", self.model, "--task", task, "--compute-dtype", self.dtype]
        command += ["--text-file", texts, "--output", output]
        if self.images:
            command += ["--images", *PICTURES, "--min-pixels", MIN_PIXELS]
        if not adapted:
            command += ["--adapter", "none"]
        if late:
            command.append("--multi-vector")
        finished = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if finished.returncode != 0:
            raise SystemExit(f"shoal embed failed with exit code {finished.returncode}:\n{finished.stderr}")
        vectors = load_file(output)
        return [vectors[str(number)] for number in range(len(vectors))] if late else list(vectors["embeddings"])
