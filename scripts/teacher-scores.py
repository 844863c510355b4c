"""Rows with the scores that a model gives their candidates, for `loss.name: distill` or `loss.distill_weight`.

    python scripts/teacher-scores.py rows.jsonl.gz taught.jsonl --shoal .build/release/shoal --model examples/jina-tiny --late

Each row of JSON lines with `query`, `positive` and `negatives` gets `scores`: of the positive, then of each negative. They are
cosines of the model's whole vectors or, with --late, of its token vectors by late interaction (the mean over the query's tokens of
the best product with a token of the candidate), by the backbone alone or with --adapter. Rows without negatives stay as they are.
Needs numpy, and safetensors for --late.
"""

import argparse
import gzip
import json
import subprocess
import tempfile
from pathlib import Path

import numpy


def embed(options: argparse.Namespace, texts: list[str], prompt: str, folder: Path) -> list[numpy.ndarray]:
    """[tokens, width] of each text; of one vector a text one row."""
    lines, output = folder / "texts.jsonl", folder / ("vectors.safetensors" if options.late else "vectors.npy")
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    command = [options.shoal, "embed", "--model", options.model, "--adapter", options.adapter, "--task", options.task, "--prompt", prompt]
    command += ["--max-length", str(options.max_length), "--text-file", str(lines), "--output", str(output)]
    subprocess.run(command + (["--multi-vector"] if options.late else []), check=True)
    if not options.late:
        return list(numpy.load(output)[:, None])
    from safetensors.numpy import load_file

    vectors = load_file(output)
    return [vectors[str(number)] for number in range(len(texts))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--shoal", default="shoal")
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", default="none")
    parser.add_argument("--task", default="retrieval")
    parser.add_argument("--max-length", type=int, default=160)
    parser.add_argument("--late", action="store_true")
    options = parser.parse_args()
    opened = gzip.open(options.rows, "rt") if options.rows.suffix == ".gz" else options.rows.open()
    with opened as file:
        rows = [json.loads(line) for line in file if line.strip()]
    taught = [row for row in rows if row.get("negatives")]
    queries = list(dict.fromkeys(row["query"] for row in taught))
    passages = list(dict.fromkeys(text for row in taught for text in [row["positive"], *row["negatives"]]))
    with tempfile.TemporaryDirectory() as folder:
        query_vectors = dict(zip(queries, embed(options, queries, "query", Path(folder)), strict=True))
        passage_vectors = dict(zip(passages, embed(options, passages, "passage", Path(folder)), strict=True))
    for row in taught:
        query = query_vectors[row["query"]]
        products = (query @ passage_vectors[text].T for text in [row["positive"], *row["negatives"]])
        row["scores"] = [float(one.max(axis=1).mean()) for one in products]
    options.output.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


if __name__ == "__main__":
    main()
