"""Writes the safetensors files of this folder with the Python library. The tests build the same tensors themselves.

    python make.py          (safetensors 0.8.0, numpy 2.4.6)

Byte j of a tensor is (7·j + length of its name in UTF-8) mod 256; of a BOOL tensor that number mod 2.
"""

import os

import numpy
from safetensors import TensorSpec, serialize_file

FOLDER = os.path.dirname(os.path.abspath(__file__))

# Name, dtype as the library calls it, shape, bytes of an element. Not in the order of the file.
EVERY_DTYPE = [
    ("b.bool", "bool", [3], 1),
    ("b.u8", "uint8", [2, 3], 1),
    ("b.i8", "int8", [2, 3], 1),
    ("b.f8e5m2", "float8_e5m2", [2, 3], 1),
    ("b.f8e4m3", "float8_e4m3fn", [2, 3], 1),
    ("b.f8e8m0", "float8_e8m0fnu", [2, 3], 1),
    ("b.f8e4m3fnuz", "float8_e4m3fnuz", [2, 3], 1),
    ("b.f8e5m2fnuz", "float8_e5m2fnuz", [2, 3], 1),
    ("b.i16", "int16", [2, 3], 2),
    ("b.u16", "uint16", [2, 3], 2),
    ("b.f16", "float16", [2, 3], 2),
    ("b.bf16", "bfloat16", [2, 3], 2),
    ("b.i32", "int32", [2, 3], 4),
    ("b.u32", "uint32", [2, 3], 4),
    ("b.f32", "float32", [2, 3], 4),
    ("b.c64", "complex64", [2, 3], 8),
    ("b.f64", "float64", [2, 3], 8),
    ("b.i64", "int64", [2, 3], 8),
    ("b.u64", "uint64", [2, 3], 8),
]

NAMES = [
    ("layers.2.weight", "float32", [1], 4),
    ("layers.10.weight", "float32", [2], 4),
    ("layers.1.weight", "float32", [], 4),
    ("lora_A.text-matching", "bfloat16", [1, 2, 3], 2),
    ("lora_A.code", "bfloat16", [3], 2),
    ("é and 日本 and 😀", "float32", [1], 4),
    ('quote " backslash \\ slash / newline \n bell \x07 delete \x7f', "float32", [1], 4),
    ("e\u0301", "float32", [1], 4),
    ("\u00e9", "float32", [1], 4),
    ("empty", "float32", [0, 4], 4),
    ("a.empty", "bfloat16", [4, 0], 2),
    ("", "uint8", [5], 1),
]


def write(file, rows, metadata):
    kept = []
    specs = {}
    for name, dtype, shape, width in rows:
        count = width * int(numpy.prod(shape, dtype=numpy.int64))
        length = len(name.encode())
        data = numpy.array([(7 * j + length) % (2 if dtype == "bool" else 256) for j in range(count)], dtype=numpy.uint8)
        kept.append(data)
        specs[name] = TensorSpec(dtype=dtype, shape=shape, data_ptr=data.ctypes.data, data_len=count)
    serialize_file(specs, os.path.join(FOLDER, file), metadata)


write("every-dtype.safetensors", EVERY_DTYPE, {"format": "pt"})
write("names.safetensors", NAMES, {"note": 'é "quoted"\n'})
write("no-metadata.safetensors", EVERY_DTYPE[:1], None)
write("no-tensors.safetensors", [], None)
