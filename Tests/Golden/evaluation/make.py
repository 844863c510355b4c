"""Writes data sets as the Hub has them: folders of Parquet files, and beside each a .json with what it holds.

    python Tests/Golden/evaluation/make.py

mteb: corpus and queries with `_id`, title and text, judgements in `default`, grades as floats, ids as numbers, two shards.
vidore: `corpus-id`, `query-id` and `query`, judgements in `qrels`, all of the split test.
pages: the same with pictures in the corpus, as bytes and path.
"""

import io
import json
import pathlib
import shutil

import PIL.Image
import pyarrow
import pyarrow.parquet

here = pathlib.Path(__file__).parent


def write(name, tables, content):
    shutil.rmtree(here / name, ignore_errors=True)
    for path, columns in tables.items():
        (here / name / path).parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(columns), here / name / path, compression="snappy")
    (here / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


texts = ["Otters hold hands while they float asleep.", "Sourdough rises by wild yeast.", "The moon pulls the oceans.", None, "Glass is sand."]
titles = ["Otters", "", None, "A title alone", "Glas — verre"]
corpus = {str(i + 100): " ".join(filter(None, (titles[i], texts[i]))) for i in range(5)}
queries = {"7": "why do otters hold hands", "8": "what causes the tides", "9": "not judged"}
qrels = {"7": {"100": 1, "103": 0}, "8": {"102": 2}}

write("mteb", {
    "corpus/corpus-00000-of-00002.parquet": {"_id": [100, 101, 102], "title": titles[:3], "text": texts[:3]},
    "corpus/corpus-00001-of-00002.parquet": {"_id": [103, 104], "title": titles[3:], "text": pyarrow.array(texts[3:], pyarrow.string())},
    "queries/queries-00000-of-00001.parquet": {"_id": [int(q) for q in queries], "text": list(queries.values())},
    "default/dev-00000-of-00001.parquet": {"query-id": [9], "corpus-id": [104], "score": [1.0]},
    "default/test-00000-of-00001.parquet": {"query-id": [7, 7, 8], "corpus-id": [100, 103, 102], "score": [1.0, 0.0, 2.0]},
}, {"corpus": corpus, "queries": {q: queries[q] for q in qrels}, "qrels": qrels})

write("vidore", {
    "corpus/test-00000-of-00001.parquet": {"corpus-id": [1, 2], "text": ["one", "two"], "doc-id": ["a.pdf", "b.pdf"]},
    "queries/test-00000-of-00001.parquet": {"query-id": [0, 1], "query": ["first", "second"], "language": ["en", "en"]},
    "qrels/test-00000-of-00001.parquet": {"query-id": [0, 1], "corpus-id": [1, 2], "answer": ["yes", "no"], "score": [1, 2]},
}, {"corpus": {"1": "one", "2": "two"}, "queries": {"0": "first", "1": "second"}, "qrels": {"0": {"1": 1}, "1": {"2": 2}}})


def picture(color):
    file = io.BytesIO()
    PIL.Image.new("RGB", (56, 56), color).save(file, "PNG")
    return file.getvalue()


write("pages", {
    "corpus/test-00000-of-00001.parquet": {
        "corpus-id": [1, 2, 3], "image": [{"bytes": picture(c), "path": f"{c}.png"} for c in ("red", "white", "blue")], "doc-id": ["a", "a", "b"]},
    "queries/test-00000-of-00001.parquet": {"query-id": [0, 1], "query": ["a red page", "an empty page"]},
    "qrels/test-00000-of-00001.parquet": {"query-id": [0, 1], "corpus-id": [1, 2], "score": [1, 1]},
}, {"images": ["1", "2", "3"], "queries": {"0": "a red page", "1": "an empty page"}, "qrels": {"0": {"1": 1}, "1": {"2": 1}}})
