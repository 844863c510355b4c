#!/usr/bin/env bash
# `make benchmark`: what this machine can do, and what share of it Shoal reaches, in about ten minutes on two cores.
# Each part can be run by itself, with other sizes: .build/release/benchmark --help
set -euo pipefail
cd "$(dirname "$0")/.."

part() {
    echo "== $1 =="
    shift
    .build/release/benchmark "$@"
    echo
}

part "Matrix products of a layer" products
part "What lies between the products" kernels
part "A step of 8 pairs, 4 of 36 layers, one rank" step --layers 4
part "A step of 8 pairs, 4 of 36 layers, two ranks" step --layers 4 --ranks 2
part "A step of 64 pairs, 2 of 36 layers, one rank" step --layers 2 --pairs 64 --steps 1
part "A step of 64 pairs, 2 of 36 layers, two ranks" step --layers 2 --pairs 64 --steps 1 --ranks 2
part "Steps of more and more tokens, 2 of 36 layers" linearity
part "The loss at a large pool" loss
part "The loss phase at pools of several sizes" pool
part "The same of late interaction, two ranks" pool --late --rows 256 512 --ranks 2
part "Text to tokens" tokenizer
part "Image files to patches" images
part "From the start of a process to the first embedding" startup
part "Images through the vision tower" vision
