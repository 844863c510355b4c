#!/usr/bin/env bash
# `make demo`: evaluates the embedded model on held-out functions, trains a code adapter for it on two ranks, evaluates
# again and shows both side by side. Everything it writes lies in outputs/demo, which it replaces.
set -euo pipefail
cd "$(dirname "$0")/.."

shoal=.build/release/shoal
run=outputs/demo
# The ranks share all cores (by default mpirun binds each to one), and a machine with a single core may run both.
mpi=(mpirun -n 2 --oversubscribe --bind-to none)
evaluate=("${mpi[@]}" "$shoal" evaluate --model examples/jina-tiny --task code --max-length 160
    --retrieval examples/python-stdlib/test)

rm -rf "$run"
mkdir -p outputs
before=$(mktemp outputs/demo-before-XXXXXX.json)
trap 'rm -f "$before"' EXIT

echo "== 1/3 Before training: the backbone alone ==" >&2
"${evaluate[@]}" --adapter none --output "$before" >/dev/null

echo "== 2/3 Training: two ranks share each global batch ==" >&2
"${mpi[@]}" "$shoal" train --config project_config.yaml --set "training.output_dir=$run"

echo "== 3/3 After training ==" >&2
mv "$before" "$run/evaluation-before.json"
echo
"${evaluate[@]}" --adapter "$run" --output "$run/evaluation-after.json" --compare "$run/evaluation-before.json"
echo
echo "The adapter: $run/adapters (all tasks, published layout) and $run/peft (plain PEFT, loads in Python)."
