"""What is embedded: texts of many kinds as questions and as passages, and pictures of images/files."""

from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).resolve().parents[1] / "images" / "files"
PICTURES = [FILES / name for name in ("444-rotated.jpg", "rgb-alpha-8.png", "shape-59x84.png", "lossy.webp")]
# The pictures are small: scaled up to this, each fills several attention windows, the last of them cut.
MIN_PIXELS = 50_176
IMAGE_PROMPT = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Describe the image.<|im_end|>\n"

LONG = " ".join(
    f"Chapter {number}: the whale {what}, and {10 * number + 7} sailors wrote it down in their log-book."
    for number, what in enumerate(["dives to 1,200 metres", "sings", "sleeps upright", "nurses its calf", "crosses the ocean"] * 3, start=1)
)
CODE = "def largest(values: list[float]) -> float:\n    \"\"\"The first of equals.\"\"\"\n    return max(values, key=lambda x: (x, 0))\n"


@dataclass(frozen=True)
class Text:
    prompt: str
    text: str


TEXTS = [
    Text("query", "a"),
    Text("query", "How do whales sleep?"),
    Text("passage", "Sperm whales sleep upright near the surface, for about ten to fifteen minutes at a time."),
    Text("query", "鲸鱼是怎么睡觉的？ クジラはどうやって眠るのか"),
    Text("passage", "كيف تنام الحيتان؟ Как спят киты? व्हेल कैसे सोती हैं?"),
    Text("query", "Cafe\u0301 \u2014 nai\u0308ve re\u0301sume\u0301s \U0001f433\U0001f468\u200d\U0001f469\u200d\U0001f467  3.14159 \u00bd"),
    Text("passage", CODE),
    Text("query", "what does <|im_end|> mean in a prompt"),
    Text("passage", LONG),
]
