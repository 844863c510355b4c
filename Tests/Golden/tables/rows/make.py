"""Writes rows.parquet: twelve training rows as a hub's table has them, some without negatives, in three row groups.

    venv/bin/python Tests/Golden/tables/rows/make.py        (a venv as in ../make.py)

Tests write the same rows as JSON lines, JSON array, CSV and TSV, and compare what is read and what is trained.
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = range(12)

table = pa.table(
    {
        "query": [f"how many words has line {i}" for i in ROWS],
        "positive": [f'line {i} has five words, "quoted", and\na break' for i in ROWS],
        "negatives": pa.array(
            [[f"no answer {i}", f"another {i}"] if i % 3 == 0 else None for i in ROWS], pa.list_(pa.string())
        ),
    }
)
pq.write_table(table, pathlib.Path(__file__).with_name("rows.parquet"), compression="zstd", row_group_size=5)
