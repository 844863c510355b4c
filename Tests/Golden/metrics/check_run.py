"""Holds what `shoal evaluate` wrote against trec_eval, ranx and ir_measures, on the run that it saved.

    shoal evaluate ... --retrieval FOLDER --dims 256 --output results.json --save-run run.trec
    python Tests/Golden/metrics/check_run.py FOLDER run.trec results.json [--golden NAME]

Every tool reads the saved run by itself and sorts it by its own rule; the figures must be those of results.json to 1e-6. --golden adds
trec_eval's figures to figures.json under a name.
"""

import argparse
import json
import pathlib
import re

import ir_measures
import pytrec_eval
import ranx


def judgements(path):
    """TREC's four columns or BEIR's three, with or without a header; of two grades the higher."""
    qrels = {}
    for line in path.read_text().splitlines():
        fields = re.split(r"[\t ]+", line.strip())
        if len(fields) < 3 or not re.fullmatch(r"-?[0-9.]+", fields[-1]):
            continue
        query, document, grade = fields[0], fields[-2], int(float(fields[-1]))
        known = qrels.setdefault(query, {})
        known[document] = max(grade, known.get(document, grade))
    return qrels


def means(values):
    return {name: sum(query[name] for query in values.values()) / len(values) for name in next(iter(values.values()))}


parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("run", type=pathlib.Path)
parser.add_argument("results", type=pathlib.Path)
parser.add_argument("--golden")
options = parser.parse_args()

qrels = judgements(options.folder / "qrels" / "test.tsv")
run = {}
for line in options.run.read_text().splitlines():
    query, _, document, place, score, _ = line.split(" ")
    run.setdefault(query, {})[document] = float(score)
qrels = {query: qrels[query] for query in run}
result, = json.loads(options.results.read_text())["results"]
ours = result["metrics"]

found = means(pytrec_eval.RelevanceEvaluator(
    qrels, {"ndcg_cut.1,3,5,10,100", "map_cut.100", "recall.1,3,5,10,100", "P.1,3,5,10,100"}).evaluate(run))
names = {"ndcg": "ndcg_cut_", "map": "map_cut_", "recall": "recall_", "precision": "P_"}
trec = {}
for name in ours:
    measure, k = name.split("@")
    if measure == "mrr":
        cut = {query: dict(sorted(scores.items(), key=lambda e: (e[1], e[0]), reverse=True)[: int(k)]) for query, scores in run.items()}
        trec[name] = means(pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut))["recip_rank"]
    else:
        trec[name] = found[names[measure] + k]

# ranx knows no grades of 0 or less as judged, and its ndcg is linear like trec_eval's.
relevant = {query: {d: g for d, g in grades.items() if g > 0} or {"none": 1} for query, grades in qrels.items()}
theirs = ranx.evaluate(ranx.Qrels(relevant), ranx.Run.from_file(str(options.run), kind="trec"), list(ours), make_comparable=True)
kinds = {"ndcg": ir_measures.nDCG, "map": ir_measures.AP, "recall": ir_measures.R, "precision": ir_measures.P, "mrr": ir_measures.RR}
wanted = {name: kinds[name.split("@")[0]] @ int(name.split("@")[1]) for name in ours}
other = ir_measures.calc_aggregate(wanted.values(), qrels, ir_measures.read_trec_run(str(options.run)))

print(f"{len(run)} queries\n{'metric':14}{'shoal':>12}{'trec_eval':>12}{'ranx':>12}{'ir_measures':>12}")
worst = 0
for name, value in ours.items():
    others = (trec[name], theirs[name], other[wanted[name]])
    worst = max([worst] + [abs(value - figure) for figure in others])
    print(f"{name:14}{value:12.6f}" + "".join(f"{figure:12.6f}" for figure in others))
print(f"largest difference {worst:.1e}: {'equal' if worst < 1e-6 else 'DIFFERENT'}")
if options.golden:
    path = pathlib.Path(__file__).with_name("figures.json")
    figures = json.loads(path.read_text()) if path.exists() else {}
    figures[options.golden] = {"queries": len(run), "metrics": trec}
    path.write_text(json.dumps(figures, indent=1) + "\n")
raise SystemExit(int(worst >= 1e-6))
