"""Writes strings.jsonl: strings that are hard on a tokenizer, with the ids that `tokenizers` gives for them with jina-tiny's
tokenizer.json; flags.jsonl: the same for a variant whose added tokens have every flag; classes.jsonl: what the library's
regular expressions take for letters, numbers and spaces.

    python make.py
"""

import json
import random
import unicodedata
from pathlib import Path

from tokenizers import Regex, Tokenizer, pre_tokenizers

HERE = Path(__file__).parent
TOKENIZER = HERE.parent.parent.parent / "examples/jina-tiny/tokenizer.json"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<tool_call>", "</tool_call>", "<|file_sep|>"]
SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_SPACES = "\0\x1c\x1f\u180e\u200b\u200d\u2060\ufeff"
ALPHABETS = {
    "ascii": "".join(map(chr, range(32, 127))),
    "spaces": SPACES + "a.1",
    "line ends": "\r\n \ta.",
    "almost spaces": NOT_SPACES + " a\n",
    "contractions": "'sStTrReEvVmMlLdD\u017f\u2019\u212a aK1",
    "numbers": "0123456789\u0663\u2167\u00bd\u00b2\u3007\u4e00 a,.",
    "latin": "".join(map(chr, range(0xA0, 0x250))),
    "marks": "ae\u0300\u0301\u0308\u0315\u031b\u0323\u0327\u0334\u0338\u0345\u0344\u0360\u05bc\u0651\u093c\u1dcd \u212b\u2126",
    "hangul": "\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2\uac00\uac01\uac38\ud7a3\u1159\u11f0\u3131",
    "indic": "\u0915\u093c\u0958\u0929\u09c7\u09be\u0b92\u0bd7\u0bca\u0cc6\u0cc2\u0cd5\u0d46\u0d3e\u0f40\u0fb5\u0f71\u0f72\u0f73\u0f75\u0f81\u0f7e",
    "newer than the normaliser": "a\u0315\u0334\u08d3\u0d3b\u1acf\U00010efd\U0001145e\U000105d2\u0307\U00011382\U000113c9\U00016d67",
    "emoji": "\U0001f468\u200d\U0001f469\U0001f3fd\ufe0f\u20e3\U0001f1e9\U0001f1ea\u2764 a#1",
    "cjk": "\u4e2d\u6587\u3002\uff0c\u30ab\u3099\u30ac\u304b\u309a\uf900\U0002f800\u3000a1",
    "added": "<|im_end|> start>/tool_call",
}
SENTENCES = """Don't you'RE it'S we'll I'd've THEY'LL O'Neil rock'n'roll 'tis
  two  spaces   three    and a tab\tend
def f(x):\n    return x + 1\r\n\r\n\n\n  # comment
https://example.org/a_b?c=1&d=%20#e user@example.org 192.168.0.1:8080
3.14159 1,000,000 12:30 1e-9 0x1F ½ ² Ⅷ ٣٤
Größe Straße naïve café œuvre Ångström ÅNGSTRÖM
Привет, мир! Съешь ещё этих мягких французских булок.
שלום עולם، مرحبا بالعالم
中文分词测试，没有空格。日本語のテキストです。 한국어 문장입니다.
नमस्ते दुनिया ภาษาไทยไม่มีช่องว่าง Tiếng Việt""".split("\n")


def random_string(rng):
    pieces = []
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        kind = rng.random()
        if kind < 0.15:
            pieces.append(rng.choice(SPECIAL))
        elif kind < 0.25:
            pieces.append(unicodedata.normalize("NFD", rng.choice(rng.choice(SENTENCES).split(" "))))
        else:
            alphabet = ALPHABETS[rng.choice(sorted(ALPHABETS))]
            pieces.append("".join(rng.choice(alphabet) for _ in range(rng.choice([1, 2, 3, 6, 15]))))
    return rng.choice(["", "", " "]).join(pieces)


def strings():
    rng = random.Random(20260101)
    fixed = ["", " ", "\n", "\r\n", "a", "\0", "'", "'s", "'\u017f", "'\u017fa", "\ufffd", "\U0010ffff"] + SENTENCES
    fixed += [character + around for character in SPACES + NOT_SPACES for around in ("", "a", " ", ".")]
    fixed += [f"a{token}b {token} {token}{token}\n{token}" for token in SPECIAL] + ["<|im_end|", "<|im_end||>", "<<|im_end|>>", "<|IM_END|>"]
    fixed += [c * n for c in "a .\n\u4e2d'\u0301-" for n in (2, 3, 16, 47, 48, 49, 200)]
    fixed += ["abcdefghijklmnopqrstuvwxyz" * 8, "internationalization" * 5, "the quick brown fox" * 3, "\u4e2d\u6587" * 40]
    return fixed + [random_string(rng) for _ in range(400)]


def write(name, tokenizer, texts):
    with open(HERE / name, "w", encoding="ascii") as file:
        for text in texts:
            file.write(json.dumps({"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids}) + "\n")


def added_token(number, content, **flags):
    plain = dict(id=8192 + number, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    return plain | flags


def with_flags():
    """Overlapping added tokens with every flag; the normalised ones are found by their composed form."""
    content = json.loads(TOKENIZER.read_text())
    content["added_tokens"] = [
        added_token(0, "<a>"),
        added_token(1, "<a><b>", special=True),
        added_token(2, "<l>", lstrip=True),
        added_token(3, "<r>", rstrip=True),
        added_token(4, "<lr>", lstrip=True, rstrip=True),
        added_token(5, "wxyz", single_word=True),
        added_token(6, "caf\u0065\u0301", normalized=True),
        added_token(7, "\u212b", normalized=True, single_word=True, rstrip=True),
        added_token(8, "e\u0301"),
    ]
    (HERE / "flags-tokenizer.json").write_text(json.dumps({"added_tokens": content["added_tokens"]}, indent=1) + "\n")
    return Tokenizer.from_str(json.dumps(content))


def flag_strings():
    rng = random.Random(7)
    parts = ["<a>", "<b>", "<l>", "<r>", "<lr>", "wxyz", "caf\u00e9", "cafe\u0301", "\u212b", "A\u030a", "\u00c5", "e\u0301", "\u00e9"]
    parts += [" ", "  ", "\n", "\u3000", "x", "_", "1", "\u0301", "\u200d", ".", "-"]
    return ["".join(rng.choice(parts) for _ in range(rng.choice([1, 2, 3, 5, 9]))) for _ in range(300)]


def members(pattern):
    """Runs of the scalars that match, first and last."""
    splitter = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    runs = []
    for start in range(0, len(scalars), 4096):
        for piece, _ in splitter.pre_tokenize_str("".join(map(chr, scalars[start : start + 4096]))):
            for c in map(ord, piece):
                if runs and runs[-1][1] == c - 1:
                    runs[-1][1] = c
                else:
                    runs.append([c, c])
    return runs


if __name__ == "__main__":
    write("strings.jsonl", Tokenizer.from_file(str(TOKENIZER)), strings())
    write("flags.jsonl", with_flags(), flag_strings())
    with open(HERE / "classes.jsonl", "w", encoding="ascii") as file:
        for name, pattern in [("letter", r"\p{L}"), ("number", r"\p{N}"), ("space", r"\s")]:
            file.write(json.dumps({"class": name, "runs": members(pattern)}) + "\n")
