"""Words of texts and shares of common n-grams, by Python's own Unicode and sets of tuples: what NormalForm and LeakSet must give.

    python overlap.py            # Python 3.11 or later; nothing to install

Rule of the words: NFKC; small letters; every character that is no letter, mark, number or symbol ends a word, but for # % & @ * / \\ _,
which stay; format characters vanish; a letter of a script that is written without blanks is a word, with the marks after it.
"""

import json
import random
import unicodedata
from pathlib import Path

KEPT = set("#%&@*/\\_")
UNSPACED = [(0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
            (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)]


def words(text):
    found, current, alone = [], "", False
    for char in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(char)
        if kind == "Cf":
            continue
        if not (kind[0] in "LMNS" or char in KEPT):
            found, current, alone = found + [current], "", False
            continue
        unspaced = kind[0] == "L" and any(low <= ord(char) <= high for low, high in UNSPACED)
        if unspaced or (alone and kind[0] != "M"):
            found, current = found + [current], ""
            alone = unspaced
        current += char.lower()
    return [word for word in found + [current] if word]


def grams(text, length):
    own = words(text)
    return [tuple(own[i:i + length]) for i in range(len(own) - length + 1)]


def share(text, against, length):
    known = {gram for other in against for gram in grams(other, length)}
    own = grams(text, length)
    return sum(gram in known for gram in own) / len(own) if own else 0


TEXTS = [
    "How do whales sleep?", "  how   DO\twhales\nsleep ", "What is C++?", "What is C#?", "What is C?", "-5 degrees", "50% of $3.50",
    "state-of-the-art: don't!", "ﬁne ｆｕｌｌ ①½", "Å é É ǅ", "日本語のテスト。全角Ａ", "中文 和 English 混合，第13個", "ภาษาไทย ไม่มีช่องว่าง",
    "ΑΣ Σίσυφος", "İstanbul ISTANBUL", "a\u200bb\u00adc\ufeffd", "snake_case a*b /usr/bin", "!!! ...", "", "🎉 party 🎉", "مرحبا، بالعالم؟",
    "क्षत्रिय हिन्दी", "ျမန္မာ မြန်မာ", "x\u0301y\u0302", "«quoted» “text” ‘it’s’", "a\u2028b\u3000c\u0085d",
]

random.seed(13)
vocabulary = [f"w{i}" for i in range(40)] + ["日", "本", "C#", "don't"]
against = [" ".join(random.choices(vocabulary, k=random.randint(5, 60))) for _ in range(12)]
cases = []
for _ in range(40):
    source = random.choice(against).split()
    start, length = random.randint(0, len(source) - 1), random.randint(1, 40)
    text = random.choices(vocabulary, k=random.randint(0, 30)) + source[start:start + length] + random.choices(vocabulary, k=random.randint(0, 30))
    text = " ".join(text)
    cases.append({"text": text, "shares": {str(length): share(text, against, length) for length in (3, 13)}})

golden = {"words": [{"text": text, "words": words(text)} for text in TEXTS], "against": against, "cases": cases}
(Path(__file__).parent / "overlap.json").write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")
