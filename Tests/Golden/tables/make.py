"""Writes files/: small Parquet files by three writers, and files.json: their cells as pyarrow reads them.

    python3 -m venv venv && venv/bin/pip install -r Tests/Golden/tables/requirements.txt
    venv/bin/python Tests/Golden/tables/make.py

Each file is one that pyarrow, polars or duckdb writes of its own, with one choice of codec, encoding, page version, size of row
groups and pages. Bytes stand in files.json as {"bytes": hexadecimal}; floats that JSON cannot hold do not occur.
"""

import datetime
import decimal
import gzip
import json
import pathlib
import random

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parent / "files"
WORDS = ["", "a", "river", "Straße", "日本語のテキスト", "line\nbreak", "tab\tquote\"", "🐟 shoal", "x" * 300, "naïve café"]
cells = {}


def rows(count, seed, nulls=True):
    """Scalars, lists and structs, with nulls at every level when asked."""
    r = random.Random(seed)

    def maybe(value):
        return None if nulls and r.random() < 0.2 else value

    def text():
        return " ".join(r.choice(WORDS) for _ in range(r.randint(0, 4)))

    return {
        "id": [i * 7 - 3 for i in range(count)],
        "text": [maybe(text()) for _ in range(count)],
        "kind": [maybe(r.choice(["query", "passage", "note"])) for _ in range(count)],
        "small": [maybe(r.randint(-2**31, 2**31 - 1)) for _ in range(count)],
        "large": [maybe(r.choice([0, 1, -1, 2**63 - 1, -(2**63), r.randint(-10**12, 10**12)])) for _ in range(count)],
        "score": [maybe(r.choice([0.0, -1.5, 0.1, 1e300, r.random()])) for _ in range(count)],
        "single": [maybe(r.choice([0.5, -2.25, 1024.0])) for _ in range(count)],
        "flag": [maybe(r.random() < 0.7) for _ in range(count)],
        "blob": [maybe(bytes(r.randrange(256) for _ in range(r.randint(0, 20)))) for _ in range(count)],
        "texts": [maybe([maybe(text()) for _ in range(r.choice([0, 0, 1, 2, 5]))]) for _ in range(count)],
        "numbers": [maybe([maybe(r.randint(-9, 9)) for _ in range(r.choice([0, 1, 3]))]) for _ in range(count)],
        "image": [maybe({"bytes": maybe(bytes(r.randrange(256) for _ in range(8))), "path": maybe(f"images/{r.randint(0, 99)}.png")})
                  for _ in range(count)],
        "passages": [maybe([maybe({"title": maybe(text()), "score": maybe(r.random())}) for _ in range(r.choice([0, 1, 3]))])
                     for _ in range(count)],
        "answers": [maybe({"text": maybe([maybe(text()) for _ in range(r.choice([0, 1, 2]))]), "start": maybe(r.randint(0, 9))})
                    for _ in range(count)],
    }


TYPES = {
    "id": pa.int64(), "text": pa.string(), "kind": pa.string(), "small": pa.int32(), "large": pa.int64(), "score": pa.float64(),
    "single": pa.float32(), "flag": pa.bool_(), "blob": pa.binary(), "texts": pa.list_(pa.string()), "numbers": pa.list_(pa.int32()),
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    "passages": pa.list_(pa.struct([("title", pa.string()), ("score", pa.float64())])),
    "answers": pa.struct([("text", pa.list_(pa.string())), ("start", pa.int32())]),
}


def table(count, seed, nulls=True, columns=None):
    data = rows(count, seed, nulls)
    names = columns or list(TYPES)
    return pa.table({n: pa.array(data[n], TYPES[n]) for n in names},
                    schema=pa.schema([pa.field(n, TYPES[n], nullable=nulls) for n in names]))


def plain(value):
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def note(name, source=None):
    """pyarrow cannot read the differences of 33 bits that duckdb writes in version 2: there the cells are those that were written."""
    read = source if source is not None else pq.ParquetFile(FOLDER / name).read()
    cells[name] = {"columns": read.column_names, "rows": [[plain(row[n]) for n in read.column_names] for row in read.to_pylist()]}


def arrow(name, data, **options):
    pq.write_table(data, FOLDER / f"pyarrow-{name}.parquet", **options)
    note(f"pyarrow-{name}.parquet")


def packed():
    """The same three rows as text, packed as a whole; gzip in two members, Zstandard in two frames."""
    texts = {"rows.csv": 'id,text\n1,"a, ""b"""\n2,"two\nlines"\n3,é\n', "rows.tsv": 'id\ttext\n1\t"a, ""b"""\n2\t"two\nlines"\n3\té\n',
             "rows.json": '[{"id": "1", "text": "a, \\"b\\""},\n {"id": "2", "text": "two\\nlines"}, {"id": "3", "text": "é"}]',
             "rows.jsonl": '{"id": "1", "text": "a, \\"b\\""}\n{"id": "2", "text": "two\\nlines"}\n{"id": "3", "text": "é"}\n'}
    for name, text in texts.items():
        data = text.encode()
        (FOLDER / name).write_bytes(data)
        halves = [data[:20], data[20:]]
        (FOLDER / f"{name}.gz").write_bytes(b"".join(gzip.compress(half, mtime=0) for half in halves))
        (FOLDER / f"{name}.zst").write_bytes(b"".join(pa.compress(half, codec="zstd", asbytes=True) for half in halves))


def refused():
    """What is named and not read: types, codecs."""
    day, moment = datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5)
    data = {"id": pa.array([1, 2]), "day": pa.array([day, None]), "time": pa.array([moment, None], pa.timestamp("us")),
            "clock": pa.array([datetime.time(1, 2), None]), "price": pa.array([decimal.Decimal("1.50"), None]),
            "half": pa.array([0.5, None], pa.float32()).cast(pa.float16()), "fixed": pa.array([b"abc", None], pa.binary(3)),
            "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
            "when": pa.array([{"at": moment}, None], pa.struct([("at", pa.timestamp("ms"))]))}
    pq.write_table(pa.table(data), FOLDER / "refused-types.parquet")
    pq.write_table(pa.table({"id": [1, 2], "old": pa.array([moment, None])}), FOLDER / "refused-int96.parquet",
                   use_deprecated_int96_timestamps=True)
    for codec in ["brotli", "lz4"]:
        pq.write_table(pa.table({"a": ["text"] * 50}), FOLDER / f"refused-{codec}.parquet", compression=codec)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.parquet"):
        old.unlink()
    # pyarrow: codec x page version, everything in one table; dictionaries where they pay.
    for codec in ["none", "snappy", "gzip", "zstd"]:
        for version in ["1.0", "2.0"]:
            arrow(f"{codec}-v{version[0]}", table(40, 1), compression=codec, data_page_version=version)
        arrow(f"{codec}-plain", table(40, 2), compression=codec, use_dictionary=False)
    # Encodings.
    numbers = ["id", "small", "large", "numbers"]
    texts = ["text", "kind", "blob", "texts", "image"]
    for version in ["1.0", "2.0"]:
        v = version[0]
        deltas = {"id": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED", "large": "DELTA_BINARY_PACKED",
                  "numbers.list.element": "DELTA_BINARY_PACKED"}
        arrow(f"delta-v{v}", table(300, 3, columns=numbers), use_dictionary=False, column_encoding=deltas, data_page_version=version)
        for encoding, word in [("DELTA_LENGTH_BYTE_ARRAY", "lengths"), ("DELTA_BYTE_ARRAY", "prefixes")]:
            chosen = {"text": encoding, "kind": encoding, "blob": encoding, "texts.list.element": encoding, "image.bytes": encoding,
                      "image.path": encoding}
            arrow(f"{word}-v{v}", table(60, 4, columns=texts), use_dictionary=False, column_encoding=chosen, data_page_version=version)
        arrow(f"bools-v{v}", table(200, 5, columns=["flag", "id"]), use_dictionary=False, column_encoding={"flag": "RLE"},
              data_page_version=version, compression="none")
        arrow(f"no-nulls-v{v}", table(40, 6, nulls=False), data_page_version=version)
        arrow(f"pages-v{v}", table(300, 7, columns=["id", "text", "texts", "passages"]), data_page_size=256, write_batch_size=16,
              data_page_version=version)
    arrow("plain-dictionary", table(60, 8, columns=texts), version="1.0")
    arrow("groups", table(90, 9), row_group_size=20)
    arrow("groups-of-one", table(6, 10), row_group_size=1)
    arrow("dictionary-falls-back", table(300, 11, columns=["text", "large"]), dictionary_pagesize_limit=600, write_batch_size=16,
          data_page_size=600)
    arrow("checksums", table(40, 12), write_page_checksum=True)
    arrow("no-rows", table(0, 13))
    arrow("all-null", pa.table({n: pa.nulls(50, t) for n, t in TYPES.items()}))
    arrow("one-value", pa.table({"a": pa.array(["same"] * 500), "b": pa.array([7] * 500)}))
    arrow("old-lists", table(40, 14, columns=["texts", "passages"]), use_compliant_nested_type=False)
    unsigned = {"u8": pa.array([0, 255], pa.uint8()), "u16": pa.array([0, 65535], pa.uint16()), "u32": pa.array([0, 2**32 - 1], pa.uint32()),
                "u64": pa.array([0, 2**63 - 1], pa.uint64()), "i8": pa.array([-128, 127], pa.int8()), "i16": pa.array([-32768, 32767], pa.int16()),
                "none": pa.nulls(2), "lists": pa.array([[[1, 2], [], None], []], pa.list_(pa.list_(pa.int64()))),
                "large_text": pa.array(["a", None], pa.large_string()), "category": pa.array(["x", "y"]).dictionary_encode()}
    arrow("other-types", pa.table(unsigned))
    # polars.
    for codec in ["uncompressed", "snappy", "gzip", "zstd"]:
        for nulls in [True, False]:
            name = f"polars-{codec}-{'nulls' if nulls else 'whole'}.parquet"
            polars.from_arrow(table(40, 20, nulls=nulls)).write_parquet(FOLDER / name, compression=codec)
            note(name)
    polars.from_arrow(table(90, 21)).write_parquet(FOLDER / "polars-groups.parquet", row_group_size=25, data_page_size=512)
    note("polars-groups.parquet")
    # duckdb.
    source = table(40, 30)
    for codec in ["uncompressed", "snappy", "gzip", "zstd"]:
        for version in ["V1", "V2"]:
            name = f"duckdb-{codec}-{version.lower()}.parquet"
            duckdb.sql(f"COPY source TO '{FOLDER / name}' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version})")
            note(name, source if version == "V2" else None)
    many = table(5000, 31, columns=["id", "kind"])
    duckdb.sql(f"COPY many TO '{FOLDER / 'duckdb-groups.parquet'}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    note("duckdb-groups.parquet")
    packed()
    refused()
    # Files with the same cells share them.
    tables = {}
    for name in sorted(cells):
        tables.setdefault(json.dumps(cells[name], ensure_ascii=False), []).append(name)
    lines = [json.dumps(names) + "," + cell_text for cell_text, names in tables.items()]
    (FOLDER.parent / "files.json").write_text("[\n" + ",\n".join(f"[{line}]" for line in lines) + "\n]\n", encoding="utf-8")
    print(len(cells), "files,", sum(f.stat().st_size for f in FOLDER.glob("*.parquet")), "bytes")


main()
