"""The script of every letter of Unicode, from fontTools: the table in Sources/Preprocessing/ScriptTable.swift, and a sample to test it.

    pip install fonttools==4.68.0 unicodedata2==18.0.0 && python scripts.py

Letters without a script of their own (Common, Inherited) count as Common. Code points that are no letters take the script of the
letters before them, which makes the table short; nobody asks for theirs.
"""

import json
import random
from pathlib import Path

import unicodedata2
from fontTools import unicodedata

here = Path(__file__).parent
letters = []
for code in range(0x110000):
    if unicodedata2.category(chr(code)).startswith("L"):
        script = unicodedata.script_name(unicodedata.script(chr(code))).replace("_", " ")
        letters.append((code, "Common" if script == "Inherited" else script))

runs = []
for code, script in letters:
    if not runs or runs[-1][1] != script:
        runs.append((code, script))

lines, line = [], ""
for code, script in runs:
    entry = f"{code:X} {script};"
    if len(line) + len(entry) + 1 > 130:
        lines.append(line)
        line = ""
    line += (" " if line else "") + entry
lines.append(line)

table = f"""// The scripts of Unicode {unicodedata2.unidata_version}, for its letters alone. Made by Tests/Golden/preprocessing/scripts.py.

/// Runs of letters of one script: the first code point in hexadecimal and the script's name. A run goes on to the next.
let scriptRuns = \"\"\"
""" + "".join(f"    {line}\n" for line in lines) + '    """\n'
(here.parents[2] / "Sources/Preprocessing/ScriptTable.swift").write_text(table)

random.seed(14)
sample = {}
for code, script in sorted(random.sample(letters, 400) + [letters[0], letters[-1]] + random.sample(letters[:4000], 200)):
    sample.setdefault(script, []).append(f"{code:X}")
sample = {script: " ".join(codes) for script, codes in sorted(sample.items())}
(here / "scripts.json").write_text(json.dumps(sample, indent=0) + "\n")
