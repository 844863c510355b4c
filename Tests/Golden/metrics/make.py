"""Writes metrics.json: rankings with their metrics, computed with numpy and checked against pytrec_eval.

    python Tests/Golden/metrics/make.py

Scores are multiples of 1/8, so that many are equal; grades go from -1 to 3; some queries have a document of their own in
the corpus, one has no relevant document, one has more relevant documents than places. pytrec_eval breaks ties by name, so
it is given the ranking's places as scores: what it checks are the formulas, not the order, which numpy's stable sort gives.
"""

import json
import pathlib

import numpy
import pytrec_eval

DOCUMENTS, QUERIES, SEED = 40, 24, 20240607


def ndcg(gains, ideal, k):
    discounts = 1 / numpy.log2(numpy.arange(2, k + 2))
    best = numpy.sort(ideal)[::-1][:k]
    top = (best * discounts[: len(best)]).sum()
    return float((gains[:k] * discounts[: len(gains[:k])]).sum() / top) if top > 0 else 0.0


def metrics(ranking, grades):
    gains = numpy.maximum(grades[ranking], 0)
    relevant = int((grades > 0).sum())
    hits = numpy.flatnonzero(gains[:10] > 0)
    values = {f"recall@{k}": float((gains[:k] > 0).sum() / relevant) if relevant else 0.0 for k in (1, 5, 10)}
    return {"ndcg@10": ndcg(gains, numpy.maximum(grades, 0), 10), **values, "mrr@10": 1 / (hits[0] + 1) if len(hits) else 0.0}


def check(ranking, grades, expected):
    """pytrec_eval's own figures for the same ranking; its recip_rank has no cutoff, so it is given ten documents."""
    qrels = {"q": {f"d{d}": int(g) for d, g in enumerate(grades)}}
    for places, names in ((len(ranking), {"ndcg_cut_10": "ndcg@10", "recall_1": "recall@1", "recall_5": "recall@5", "recall_10": "recall@10"}),
                          (10, {"recip_rank": "mrr@10"})):
        run = {"q": {f"d{d}": float(-place) for place, d in enumerate(ranking[:places])}}
        found = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.1,5,10", "recip_rank"}).evaluate(run)["q"]
        for theirs, ours in names.items():
            assert abs(found[theirs] - expected[ours]) < 1e-12, (theirs, found[theirs], expected[ours])


random = numpy.random.default_rng(SEED)
cases = []
for query in range(QUERIES):
    scores = random.integers(-8, 9, DOCUMENTS) / 8
    grades = random.choice([-1, 0, 0, 0, 0, 0, 1, 2, 3], DOCUMENTS)
    if query == 0:
        grades[:] = 0
    if query == 1:
        grades[:] = random.choice([1, 2], DOCUMENTS)
    own = int(random.integers(DOCUMENTS)) if query % 3 == 2 else None
    ranking = numpy.argsort(-scores, kind="stable")
    ranking = ranking[ranking != own] if own is not None else ranking
    expected = metrics(ranking, grades)
    check(ranking, grades, expected)
    cases.append({
        "scores": scores.tolist(),
        "grades": {str(d): int(g) for d, g in enumerate(grades) if g != 0},
        "own": own,
        "top": ranking[:10].tolist(),
        "metrics": expected,
    })

means = {name: float(numpy.mean([case["metrics"][name] for case in cases])) for name in cases[0]["metrics"]}
lines = ",\n".join(json.dumps(case) for case in cases)
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text('{"cases": [\n' + lines + '\n], "means": ' + json.dumps(means) + "}\n")
print(f"{path}: {len(cases)} queries, numpy {numpy.__version__}, pytrec_eval agrees")
