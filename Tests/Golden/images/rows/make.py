"""Writes rows.parquet: rows whose images stand in the table itself, as `datasets` writes them, from the pictures of ../files.

    python images/rows/make.py        (a venv as in ../../tables/make.py)

Tests write the same rows as JSON lines that name the files, and compare what is read and what is trained. `clip` holds bytes that are
no image, and no part of a row.
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

FILES = pathlib.Path(__file__).resolve().parents[1] / "files"
PICTURES = ["gray.jpg", "lossless.webp", "lossy.webp", "palette-8.png", "rgb-16.png", "rgb-8.png", "shape-190x1.png", "shape-28x28.png"]
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

read = lambda name: (FILES / name).read_bytes()
# The third is named by its path alone.
images = [{"bytes": None, "path": "pictures/2"} if i == 2 else {"bytes": read(name), "path": f"{i}.png"} for i, name in enumerate(PICTURES)]
table = pa.table(
    {
        "query": [f"what does picture {i} show" for i in range(8)],
        "positive_image": pa.array(images, IMAGE),
        "negative_image": pa.array([read(PICTURES[(i + 3) % 8]) if i % 3 == 0 else None for i in range(8)], pa.binary()),
        "clip": pa.array([bytes(i) for i in range(8)], pa.binary()),
    }
)
pq.write_table(table, pathlib.Path(__file__).with_name("rows.parquet"), compression="zstd", row_group_size=3)
