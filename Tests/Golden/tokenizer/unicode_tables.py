"""Prints Sources/Model/Processor/UnicodeTables.swift: what `tokenizers` takes for letters, numbers and spaces, and
what its NFC normaliser may change. The classes are asked from the library itself, scalar by scalar; combining
classes come from Python's unicodedata (they never change once assigned), for the scalars that the library knows.

    python unicode_tables.py > ../../../Sources/Model/Processor/UnicodeTables.swift
"""

import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
NFC = normalizers.NFC()


def members(pattern):
    splitter = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    found = set()
    for start in range(0, len(SCALARS), 4096):
        text = "".join(map(chr, SCALARS[start : start + 4096]))
        found.update(ord(c) for piece, _ in splitter.pre_tokenize_str(text) for c in piece)
    return found


def known_to_normaliser(c):
    """A mark that the library's tables lack is left behind a mark of class 232, or before one of class 1."""
    kind = unicodedata.combining(chr(c))
    before, after = "a\u0315" + chr(c), "a" + chr(c) + "\u0334"
    moved = 0 < kind < 232 and NFC.normalize_str(before) != before
    return moved or (kind > 1 and NFC.normalize_str(after) != after)


def second_parts():
    """Second halves of every pair that the library composes: their quick-check value is Maybe."""
    parts = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    for c in SCALARS:
        pair = unicodedata.decomposition(chr(c)).split()
        if len(pair) == 2 and not pair[0].startswith("<"):
            first, second = (int(x, 16) for x in pair)
            if NFC.normalize_str(chr(first) + chr(second)) == chr(c):
                parts.add(second)
    return parts


def normalisation():
    maybe = second_parts()
    values = {}
    for c in SCALARS:
        if c in maybe or NFC.normalize_str(chr(c)) != chr(c):
            values[c] = 255
        elif unicodedata.combining(chr(c)) and known_to_normaliser(c):
            values[c] = unicodedata.combining(chr(c))
    return values


def ranges(values):
    runs = []
    for c in sorted(values):
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == values[c]:
            runs[-1][1] = c
        else:
            runs.append([c, c, values[c]])
    return runs


def declare(name, comment, numbers):
    print(f"\n    /// {comment}\n    static let {name}: [UInt32] = [")
    line = "       "
    for number in numbers:
        word = f" 0x{number:X},"
        if len(line) + len(word) > 140:
            print(line)
            line = "       "
        line += word
    print(line + "\n    ]")


def pairs(values):
    return [x for first, last, _ in ranges(dict.fromkeys(values, 0)) for x in (first, last)]


print(
    """// Unicode as the reference tokenizer sees it, written by Tests/Golden/tokenizer/unicode_tables.py: general categories of
// Unicode 16.0 (its regular expressions), normalisation of Unicode 9.0 (its NFC). Ids are a contract with the checkpoint,
// so the tables are fixed here and do not follow the toolchain's own Unicode version.

enum UnicodeTables {"""
)
declare("letters", "First and last scalar of each run of `\\p{L}`.", pairs(members(r"\p{L}")))
declare("numbers", "First and last scalar of each run of `\\p{N}`.", pairs(members(r"\p{N}")))
declare("spaces", "First and last scalar of each run of `\\s`.", pairs(members(r"\s")))
declare(
    "normalisation",
    "First, last, value: the combining class, or 0xFF for what NFC replaces or may join to the scalar before it.",
    [x for run in ranges(normalisation()) for x in run],
)
print("}")
