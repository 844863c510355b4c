"""Prints two Swift files: what `tokenizers` takes for letters, numbers and spaces, and how its NFC normaliser maps.
Everything is asked from the library itself, scalar by scalar; Python's unicodedata only proposes combining classes and
decompositions, which never change once a scalar is assigned, and the library says which of them it knows.

    python unicode_tables.py classes > ../../../Sources/Model/Processor/UnicodeTables.swift
    python unicode_tables.py normalization > ../../../Sources/Model/Processor/NormalizationTables.swift
"""

import sys
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


def parts(c):
    """The canonical decomposition, one step: none, one or two scalars."""
    words = unicodedata.decomposition(chr(c)).split()
    return [] if words and words[0].startswith("<") else [int(word, 16) for word in words]


def composes(c):
    return len(parts(c)) == 2 and NFC.normalize_str("".join(map(chr, parts(c)))) == chr(c)


def second_parts():
    """Second halves of every pair that the library composes: their quick-check value is Maybe."""
    jamo = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    return jamo | {parts(c)[1] for c in SCALARS if composes(c)}


def decompositions():
    """Runs of scalars with parts of one number: first scalar, parts of each, scalars, then all their parts."""
    runs = []
    for c in SCALARS:
        if not (composes(c) or (parts(c) and NFC.normalize_str(chr(c)) != chr(c))):
            continue
        if runs and runs[-1][0] + runs[-1][2] == c and runs[-1][1] == len(parts(c)):
            runs[-1][2] += 1
            runs[-1] += parts(c)
        else:
            runs.append([c, len(parts(c)), 1] + parts(c))
    return [x for run in runs for x in run]


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


if sys.argv[1] == "classes":
    print(
        """// Letters, numbers and spaces as the reference tokenizer's regular expressions see them (Unicode 16.0), written by
// Tests/Golden/tokenizer/unicode_tables.py. Ids are a contract with the checkpoint, so the tables are fixed here and do not
// follow the toolchain's own Unicode version.

enum UnicodeTables {"""
    )
    declare("letters", "First and last scalar of each run of `\\p{L}`.", pairs(members(r"\p{L}")))
    declare("numbers", "First and last scalar of each run of `\\p{N}`.", pairs(members(r"\p{N}")))
    declare("spaces", "First and last scalar of each run of `\\s`.", pairs(members(r"\s")))
else:
    print(
        """// Canonical mappings as the reference tokenizer's normaliser knows them (Unicode 9.0; what was assigned later is inert),
// written by Tests/Golden/tokenizer/unicode_tables.py. Ids are a contract with the checkpoint, so the tables are fixed here and
// do not follow the toolchain's own Unicode version.

enum NormalizationTables {"""
    )
    declare(
        "values",
        "First, last, value: the combining class, or 0xFF for what NFC replaces or may join to the scalar before it.",
        [x for run in ranges(normalisation()) for x in run],
    )
    declare(
        "decompositions",
        "Runs without Hangul: first scalar, parts of each (1 or 2), number of scalars, then the parts of all.",
        decompositions(),
    )
print("}")
