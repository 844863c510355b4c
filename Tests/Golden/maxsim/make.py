"""Golden values of MaxSim: numpy, float64, from unit vectors stored as float32.

    python maxsim/make.py     writes maxsim/golden.safetensors beside this file

score(query, document) = sum over the query's tokens of the largest dot product with a token of the document, not divided.
"""

from pathlib import Path

import numpy
from safetensors.numpy import save_file

WIDTH = 40
QUERIES, DOCUMENTS = [3, 17, 1, 40, 33, 70], [1, 5, 120, 300, 12, 33, 2, 64]


def unit_rows(generator: numpy.random.Generator, rows: int) -> numpy.ndarray:
    x = generator.standard_normal((rows, WIDTH))
    return (x / numpy.linalg.norm(x, axis=1, keepdims=True)).astype(numpy.float32)


def split(rows: numpy.ndarray, lengths: list[int]) -> list[numpy.ndarray]:
    return numpy.split(rows, numpy.cumsum(lengths)[:-1])


def main() -> None:
    generator = numpy.random.Generator(numpy.random.PCG64(50))
    queries, documents = unit_rows(generator, sum(QUERIES)), unit_rows(generator, sum(DOCUMENTS))
    # Ties: document 3 holds each of its first 150 tokens twice, document 5 is one token throughout.
    third, fifth = sum(DOCUMENTS[:3]), sum(DOCUMENTS[:5])
    documents[third + 150 : third + 300] = documents[third : third + 150]
    documents[fifth : fifth + 33] = documents[fifth]

    scores = numpy.zeros((len(QUERIES), len(DOCUMENTS)))
    best = numpy.zeros((len(DOCUMENTS), sum(QUERIES)), dtype=numpy.int32)
    for place, document in enumerate(split(documents, DOCUMENTS)):
        products = queries.astype(numpy.float64) @ document.astype(numpy.float64).T
        largest = products.max(axis=1, keepdims=True)
        is_largest = products > largest - 1e-12  # equal rows may differ in the last bit, by their place in the product
        best[place] = is_largest.argmax(axis=1)  # the first of equals
        scores[:, place] = [part.sum() for part in split(largest[:, 0], QUERIES)]
        # Float32 must find the same tokens: what is below the maximum is so by far more than its rounding.
        assert (largest - numpy.where(is_largest, -2, products)).min() > 1e-6
    tensors = {
        "queries": queries,
        "query_lengths": numpy.array(QUERIES, dtype=numpy.int32),
        "documents": documents,
        "document_lengths": numpy.array(DOCUMENTS, dtype=numpy.int32),
        "scores": scores,
        "best": best,
    }
    save_file(tensors, Path(__file__).parent / "golden.safetensors", metadata={"format": "np"})


if __name__ == "__main__":
    main()
