"""Writes metrics.json: data sets with random scores, and every metric of each query as trec_eval computes it.

    python Tests/Golden/metrics/make.py

Scores are multiples of 1/8, so that many are equal, and trec_eval decides between them by id. Ids are digits and letters of several
alphabets in random order; grades go from -1 to 3; some judged documents are not in the corpus; one query has no relevant document,
one has more relevant documents than places, one has none but absent ones.

All figures are pytrec_eval's. It has no MRR with a cutoff: there it is given the first k documents alone, in the order that it uses,
which the other figures prove.
"""

import json
import pathlib

import numpy
import pytrec_eval

SEED = 20261201
CUTOFFS = (1, 3, 5, 10, 100)
LETTERS = "0123456789abcdefXYZéü日本😀-_."


def identifiers(random, count):
    ids = set()
    while len(ids) < count:
        ids.add("".join(random.choice(list(LETTERS), int(random.integers(1, 5)))))
    ids = sorted(ids)
    random.shuffle(ids)
    return ids


def ordered(run):
    """trec_eval's order: by score, equal ones by the bytes of the id, both falling."""
    return sorted(run, key=lambda document: (run[document], document.encode()), reverse=True)


def metrics(qrels, run):
    names = {}
    for theirs, ours in (("ndcg_cut", "ndcg"), ("map_cut", "map"), ("recall", "recall"), ("P", "precision")):
        for k in CUTOFFS if ours != "map" else (100,):
            names[f"{theirs}_{k}"] = f"{ours}@{k}"
    wanted = {"ndcg_cut.1,3,5,10,100", "map_cut.100", "recall.1,3,5,10,100", "P.1,3,5,10,100"}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    values = {query: {ours: found[query][theirs] for theirs, ours in names.items()} for query in run}
    for k in CUTOFFS:
        cut = {query: {d: scores[d] for d in ordered(scores)[:k]} for query, scores in run.items()}
        found = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
        for query in run:
            values[query][f"mrr@{k}"] = found[query]["recip_rank"]
    return values


def dataset(random, documents, queries, judged):
    corpus = identifiers(random, documents)
    absent = [f"gone{number}" for number in range(judged // 4)]
    run, qrels = {}, {}
    for number in range(queries):
        query = f"q{number}"
        run[query] = {d: int(random.integers(-8, 9)) / 8 for d in corpus}
        pool = random.permutation(corpus + absent)[:judged]
        grades = {str(d): int(random.choice([-1, 0, 0, 1, 1, 2, 3])) for d in pool}
        if number == 0:
            grades = {d: -int(random.integers(0, 2)) for d in grades}
        if number == 1:
            grades = {d: int(random.choice([1, 2])) for d in corpus}
        if number == 2:
            grades = {d: 2 for d in absent[:3]}
        qrels[query] = grades
    values = metrics(qrels, run)
    return {
        "corpus": corpus,
        "queries": [
            {"id": query, "scores": [run[query][d] for d in corpus], "grades": qrels[query], "top": ordered(run[query])[:100],
             "metrics": values[query]}
            for query in run
        ],
        "means": {name: float(numpy.mean([values[query][name] for query in run])) for name in values["q0"]},
    }


random = numpy.random.default_rng(SEED)
sets = [dataset(random, 40, 24, 20), dataset(random, 250, 8, 160)]
lines = []
for entry in sets:
    queries = ",\n".join(json.dumps(query, ensure_ascii=False) for query in entry["queries"])
    corpus, means = json.dumps(entry["corpus"], ensure_ascii=False), json.dumps(entry["means"])
    lines.append(f'{{"corpus": {corpus},\n"queries": [\n{queries}\n],\n"means": {means}}}')
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text("[" + ",\n".join(lines) + "]\n")
print(f"{path}: {[len(entry['queries']) for entry in sets]} queries")
