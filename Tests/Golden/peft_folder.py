"""Shows that a run's `peft/<task>` loads everywhere as it is. Run by hand; its output is noted in README.md.

    python peft_folder.py --shoal BINARY --folder RUN/peft/TASK --texts FILE [--dataset BEIR_FOLDER]

The folder alone is given to PEFT (`PeftModel` around transformers' class, `AutoPeftModel`), to transformers (`load_adapter`) and to
sentence-transformers; the folder is copied elsewhere first, and read from another working directory, so that no relative path helps.
Each embeds the lines of FILE with the prompts that lie beside the adapter, in float32, and must reach a cosine of 0.9999999 to
`shoal embed`, and less than 0.999 to the bare backbone. With --dataset the sentence-transformers model goes into mteb as it is, and its
nDCG@10 must be that of `shoal evaluate`. `PeftModel` around `AutoModel` is shown, too: PEFT finds no place for the factors there. Exit
status 1 when a line fails.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import numpy
import torch
from peft import AutoPeftModel, PeftModel
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer, Qwen2_5_VLForConditionalGeneration
from transformers.utils import logging

TOLERANCE = 0.9999999


def shoal(arguments: argparse.Namespace, *words: object) -> None:
    subprocess.run([str(word) for word in (arguments.shoal, *words)], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def decoder_of(model: torch.nn.Module) -> torch.nn.Module:
    inner = model.base_model.model if isinstance(model, PeftModel) else model
    return inner.model if isinstance(inner, Qwen2_5_VLForConditionalGeneration) else inner


@torch.no_grad()
def embed(model: torch.nn.Module, tokenizer, texts: list[str], limit: int) -> numpy.ndarray:
    rows = []
    for text in texts:
        tokens = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
        state = decoder_of(model.eval())(**tokens).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(state.mean(dim=0), dim=0))
    return torch.stack(rows).numpy()


class Comparison:
    def __init__(self, expected: numpy.ndarray, bare: numpy.ndarray):
        self.expected, self.bare, self.good = expected, bare, True

    def line(self, title: str, rows: numpy.ndarray, is_nothing: bool = False) -> None:
        # Lengths of float32 vectors differ from 1 by more than these cosines may.
        rows, expected, bare = (m.astype(numpy.float64) for m in (rows, self.expected, self.bare))
        rows, expected, bare = (m / numpy.linalg.norm(m, axis=1, keepdims=True) for m in (rows, expected, bare))
        cosine, base = (rows * expected).sum(1).min(), (rows * bare).sum(1).max()
        passes = base >= TOLERANCE if is_nothing else cosine >= TOLERANCE and base < 0.999
        self.good = self.good and bool(passes)
        word = ("the bare backbone, as stated" if is_nothing else "ok") if passes else "FAILED"
        print(f"{title:50} lowest cosine to shoal {cosine:.8f}, highest to the bare backbone {base:.7f}: {word}")


def mteb_score(model: SentenceTransformer, folder: Path) -> float:
    """nDCG@10 by mteb of a folder in BEIR's layout, as a local task."""
    import mteb
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    def rows(name: str) -> list[dict]:
        packed, plain = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"
        text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else plain.read_text()
        return [json.loads(line) for line in text.split("\n") if line]

    class Local(AbsTaskRetrieval):
        metadata = mteb.TaskMetadata(
            name="Local", description="", reference=None, dataset={"path": "local", "revision": "1"}, type="Retrieval",
            category="t2t", modalities=["text"], eval_splits=["test"], eval_langs=["eng-Latn"], main_score="ndcg_at_10", date=None,
            domains=None, task_subtypes=None, license=None, annotations_creators=None, dialect=None, sample_creation=None,
            bibtex_citation="",
        )  # fmt: skip

        def load_data(self, **_) -> None:
            lines = [line.split("\t") for line in (folder / "qrels/test.tsv").read_text().splitlines()[1:]]
            qrels: dict = {}
            for query, document, grade in lines:
                qrels.setdefault(query, {})[document] = int(grade)
            corpus = [{"id": r["_id"], "title": r.get("title", ""), "text": r["text"]} for r in rows("corpus")]
            queries = [{"id": r["_id"], "text": r["text"]} for r in rows("queries") if r["_id"] in qrels]
            self.dataset = {"default": {"test": {
                "corpus": Dataset.from_list(corpus), "queries": Dataset.from_list(queries), "relevant_docs": qrels, "top_ranked": None,
            }}}  # fmt: skip
            self.data_loaded = True

    result = mteb.evaluate(model, Local(), cache=None)
    return result.task_results[0].scores["test"][0]["ndcg_at_10"]


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("shoal", "folder", "texts"):
        parser.add_argument(f"--{name}", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--dataset", type=lambda text: Path(text).resolve())
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()

    scratch = Path(tempfile.mkdtemp())
    task, folder = arguments.folder.name, scratch / arguments.folder.name
    shutil.copytree(arguments.folder, folder)
    os.chdir(scratch)
    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"]
    limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    texts = arguments.texts.read_bytes().decode().removesuffix("\n").split("\n")
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = {"dtype": torch.float32}
    good = True
    common = ("--model", base, "--adapter", folder, "--task", task, "--compute-dtype", "float32", "--max-length", limit)
    for side, key in (("query", "query"), ("passage", "document")):
        shoal(arguments, "embed", *common, "--prompt", side, "--text-file", arguments.texts, "--output", scratch / "rows.npy")
        prompted = [prompts[key] + text for text in texts]
        bare = embed(AutoModel.from_pretrained(base, **plain), tokenizer, prompted, limit)
        comparison = Comparison(numpy.load(scratch / "rows.npy"), bare)

        def by_peft(model: torch.nn.Module) -> numpy.ndarray:
            return embed(model, tokenizer, prompted, limit)

        whole = Qwen2_5_VLForConditionalGeneration.from_pretrained(base, **plain)
        comparison.line(f"{side}: PeftModel on {type(whole).__name__}"[:50], by_peft(PeftModel.from_pretrained(whole, folder)))
        comparison.line(f"{side}: AutoPeftModel", by_peft(AutoPeftModel.from_pretrained(folder, **plain)))
        for kind in (AutoModel, Qwen2_5_VLForConditionalGeneration):
            model = kind.from_pretrained(base, **plain)
            model.load_adapter(str(folder))
            comparison.line(f"{side}: {kind.__name__}.load_adapter"[:50], by_peft(model))
        model = SentenceTransformer(str(folder), device="cpu", model_kwargs=plain)
        rows = model.encode_query(texts) if side == "query" else model.encode_document(texts)
        comparison.line(f"{side}: SentenceTransformer", rows)
        on_auto = PeftModel.from_pretrained(AutoModel.from_pretrained(base, **plain), folder)
        comparison.line(f"{side}: PeftModel on AutoModel", by_peft(on_auto), is_nothing=True)
        good = good and comparison.good
    if arguments.dataset:
        shoal(arguments, "evaluate", *common, "--retrieval", arguments.dataset, "--output", scratch / "own.json")
        results = json.loads((scratch / "own.json").read_text())["results"]
        own, theirs = results[-1]["metrics"]["ndcg@10"], mteb_score(model, arguments.dataset)
        good = good and abs(own - theirs) < 1e-5
        print(f"nDCG@10 by shoal evaluate {own:.6f}, by mteb {theirs:.6f}: {'ok' if abs(own - theirs) < 1e-5 else 'FAILED'}")
    shutil.rmtree(scratch)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
