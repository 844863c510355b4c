"""Writes views.json: small pictures that are turned or transparent, and what Pillow and transformers make of them.

    python images/views.py

`stored` is `convert("RGB")`; `exif` the same after Pillow's `exif_transpose`, as in transformers' `load_image`; `white` is transformers'
`convert_to_rgb` of the stored picture; `both` of the turned one. Each is the SHA-256 of 8-bit RGB. `notes` are pictures whose
note of the orientation is odd; where Pillow gives up on such a file, it is left out.
"""

import base64
import hashlib
import io
import json
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from pictures import gradient, interlaced_rows, png, rows, saved
from transformers.image_transforms import convert_to_rgb

FOLDER = Path(__file__).resolve().parent
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(*entries: tuple, order: str = "II", offset: int = 8, magic: bytes | None = None) -> bytes:
    """A note with a directory of (tag, type, count, the value's bytes in `order`)."""
    e = "<" if order == "II" else ">"
    head = order.encode() + (magic or struct.pack(e + "H", 42)) + struct.pack(e + "I", offset) + bytes(offset - 8)
    body = b"".join(struct.pack(e + "HHI", tag, kind, count) + value.ljust(4, b"\0") for tag, kind, count, value in entries)
    return head + struct.pack(e + "H", len(entries)) + body + struct.pack(e + "I", 0)


def short(value: int, order: str = "II") -> bytes:
    return struct.pack("<H" if order == "II" else ">H", value)


def note(orientation: int, order: str = "II") -> bytes:
    return tiff((0x0112, 3, 1, short(orientation, order)), order=order)


PICTURE = Image.fromarray(gradient(9, 13, 3, 61))
CLEAR = np.random.default_rng(62).integers(0, 256, (9, 13, 4))
JPEG = saved(PICTURE, "JPEG", quality=85, subsampling="4:4:4")


def jpeg(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments) + JPEG[2:]


def rgb_png(before: bytes = b"", behind: bytes = b"") -> bytes:
    data = png(13, 9, 8, 2, rows(np.array(PICTURE), 8), extra=before)
    return data[:-12] + behind + data[-12:]


def webp(*chunks: tuple[bytes, bytes], flags: int | None = None, lossless: bool = True) -> bytes:
    """A WebP with these chunks behind its picture."""
    plain = saved(PICTURE, "WEBP", lossless=lossless)[12:]
    bits = flags if flags is not None else sum({b"EXIF": 8, b"XMP ": 4}[kind] for kind in {k for k, _ in chunks})
    first = b"VP8X" + struct.pack("<I", 10) + bytes([bits, 0, 0, 0]) + struct.pack("<I", 12)[:3] + struct.pack("<I", 8)[:3]
    body = b"WEBP" + first + plain + b"".join(k + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def orientations() -> dict[str, bytes]:
    files = {}
    for number in range(1, 9):
        own = note(number, "II" if number % 2 else "MM")
        files |= {f"exif-{number}.jpg": jpeg(EXIF + own), f"exif-{number}.png": rgb_png(chunk(b"eXIf", own))}
        files |= {f"exif-{number}.webp": webp((b"EXIF", own)), f"xmp-{number}.jpg": jpeg(XMP + f'<x tiff:Orientation="{number}"/>'.encode())}
    return files


def notes() -> dict[str, bytes]:
    value, other, whole = short(6), short(3), EXIF + note(6)
    entry = lambda kind, count, data: EXIF + tiff((0x0112, kind, count, data))
    cut = {f"cut-{count}": jpeg(whole[:-count]) for count in range(1, len(whole), 3)}
    text = lambda data, packed=b"\0": chunk(b"iTXt", b"XML:com.adobe.xmp\0" + packed + b"\0\0\0" + data)
    xmp = b'tiff:Orientation="6"'
    kinds = {f"type-{kind}": jpeg(entry(kind, 1, value)) for kind in (1, 2, 4, 6, 7, 8, 9, 13, 99)}
    return cut | kinds | {
        "zero": jpeg(EXIF + note(0)), "nine": jpeg(EXIF + note(9)), "huge": jpeg(EXIF + note(65535)),
        "two values": jpeg(entry(3, 2, value + other)), "no values": jpeg(entry(3, 0, value)),
        "many values": jpeg(EXIF + tiff((0x0112, 3, 4, struct.pack("<I", 26))) + value + other * 3),
        "many values, beyond": jpeg(entry(3, 4000, struct.pack("<I", 26))),
        "twice": jpeg(EXIF + tiff((0x0112, 3, 1, value), (0x0112, 3, 1, other))),
        "after a longer entry": jpeg(EXIF + tiff((0x8769, 4, 1, struct.pack("<I", 9999)), (0x0112, 3, 1, value))),
        "directory further on": jpeg(EXIF + tiff((0x0112, 3, 1, value), offset=30)),
        "directory beyond": jpeg(whole[:10] + struct.pack("<I", 9999) + whole[14:]),
        "more entries than there are": jpeg(whole[:14] + short(900) + whole[16:]),
        "magic swapped, MM": jpeg(EXIF + tiff((0x0112, 3, 1, short(6, "MM")), order="MM", magic=b"\x2a\0")),
        "magic swapped, II": jpeg(EXIF + tiff((0x0112, 3, 1, value), magic=b"\0\x2a")),
        "other magic": jpeg(EXIF + tiff((0x0112, 3, 1, value), magic=b"\x2b\0")),
        "mark twice": jpeg(EXIF + whole), "mark alone": jpeg(EXIF), "other order": jpeg(EXIF + b"XX" + note(6)[2:]),
        "two notes": jpeg(whole, EXIF + note(3)), "shared out": jpeg(whole[:20], EXIF + whole[20:]),
        "XMP element": jpeg(XMP + b"<tiff:Orientation>8</tiff:Orientation>"), "XMP of two digits": jpeg(XMP + b'tiff:Orientation="60"'),
        "XMP other": jpeg(XMP + b"tiff:Orientation='6'"), "XMP cut": jpeg(XMP + b'tiff:Orientation="'),
        "two XMP": jpeg(XMP + xmp, XMP + b'tiff:Orientation="3"'), "EXIF before XMP": jpeg(EXIF + note(3), XMP + xmp),
        "EXIF of 1 before XMP": jpeg(EXIF + note(1), XMP + xmp), "EXIF of 0 before XMP": jpeg(EXIF + note(0), XMP + xmp),
        "png behind": rgb_png(behind=chunk(b"eXIf", note(6))), "png both": rgb_png(chunk(b"eXIf", note(3)), chunk(b"eXIf", note(6))),
        "png marked": rgb_png(chunk(b"eXIf", whole)), "png empty": rgb_png(chunk(b"eXIf", b""), chunk(b"eXIf", note(6))),
        "png text": rgb_png(text(xmp)), "png text behind": rgb_png(behind=text(xmp)),
        "webp XMP": webp((b"XMP ", xmp)), "webp two": webp((b"EXIF", note(3)), (b"EXIF", note(6))), "webp marked": webp((b"EXIF", whole)),
        "webp flag off": webp((b"EXIF", note(6)), flags=0), "webp lossy": webp((b"EXIF", note(6)), lossless=False),
        "webp behind its end": webp(flags=8) + b"EXIF" + struct.pack("<I", len(note(6))) + note(6),
    }  # fmt: skip


def transparent() -> dict[str, bytes]:
    random, files = np.random.default_rng(63), {}
    for depth in (8, 16):
        wide = CLEAR * (1 if depth == 8 else 257) + (0 if depth == 8 else random.integers(-200, 200, CLEAR.shape).clip(-CLEAR * 257, 65535 - CLEAR * 257))
        wide[0, :4, 3] = 0
        files[f"rgb-alpha-{depth}.png"] = png(13, 9, depth, 6, rows(wide, depth))
        files[f"rgb-alpha-{depth}-interlaced.png"] = png(13, 9, depth, 6, interlaced_rows(wide, depth), interlace=1)
        files[f"gray-alpha-{depth}.png"] = png(13, 9, depth, 4, rows(wide[..., 2:], depth))
        files[f"gray-alpha-{depth}-interlaced.png"] = png(13, 9, depth, 4, interlaced_rows(wide[..., 2:], depth), interlace=1)
    palette = random.integers(0, 256, 3 * 200).astype(np.uint8).tobytes()
    tables = {"each": bytes(random.integers(0, 256, 150).tolist()), "one": b"\xff" * 7 + b"\0", "none": b"\xff" * 9, "empty": b""}
    for name, table in tables.items():
        # Some indices have no colour.
        files[f"palette-{name}.png"] = png(13, 9, 8, 3, rows(CLEAR[..., 0], 8), palette=palette + b"", extra=b"")
        files[f"palette-{name}.png"] = with_table(files[f"palette-{name}.png"], table)
    files["palette-2.png"] = with_table(png(13, 9, 2, 3, rows(CLEAR[..., 0] >> 6, 2), palette=palette[:12]), b"\x10\xf0\x80")
    for depth in (1, 2, 4, 8, 16):
        samples = CLEAR[..., 0] >> (8 - depth) if depth < 9 else CLEAR[..., 0] * 3
        for key in sorted({0, 1, int(samples[4, 4]), (1 << depth) - 1, 85 if depth > 1 else 2, 256 + int(samples[3, 3])}):
            files[f"gray-{depth}-key-{key}.png"] = with_table(png(13, 9, depth, 0, rows(samples, depth)), struct.pack(">H", key))
    few = random.integers(0, 3, (9, 13, 3))
    for depth in (8, 16):
        for key in ((0, 1, 2), (1, 1, 1), (257, 257, 257), (0, 257, 514), (9, 9, 9)):
            name = f"rgb-{depth}-key-{'-'.join(map(str, key))}.png"
            files[name] = with_table(png(13, 9, depth, 2, rows(few * (1 if depth == 8 else 257), depth)), struct.pack(">HHH", *key))
    alpha = Image.fromarray(CLEAR.astype(np.uint8), mode="RGBA")
    files |= {"lossless-alpha.webp": saved(alpha, "WEBP", lossless=True, exact=True), "lossy-alpha.webp": saved(alpha, "WEBP", quality=70)}
    opaque = CLEAR.copy()
    opaque[..., 3] = 255
    files["opaque.png"] = png(13, 9, 8, 6, rows(opaque, 8))
    files["turned.png"] = png(13, 9, 8, 6, rows(CLEAR, 8), extra=chunk(b"eXIf", note(5)))
    files["turned-palette.png"] = with_table(png(13, 9, 8, 3, rows(CLEAR[..., 0], 8), palette=palette, extra=chunk(b"eXIf", note(8))), tables["each"])
    files["turned.webp"] = saved(alpha, "WEBP", lossless=True, exact=True, exif=note(7))
    return files


def with_table(data: bytes, table: bytes) -> bytes:
    place = data.index(b"IDAT") - 4
    return data[:place] + chunk(b"tRNS", table) + data[place:]


def sha(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def record(name: str, data: bytes) -> dict | None:
    def opened() -> Image.Image:
        image = Image.open(io.BytesIO(data))
        image.load()
        return image

    try:
        stored, turned = opened(), ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    except Exception as error:
        print(f"{name}: {error!r}")
        return None
    entry = {"file": name, "width": stored.width, "height": stored.height, "turned": [turned.width, turned.height]}
    entry |= {"transparent": "A" in stored.getbands() or stored.info.get("transparency") is not None}
    entry |= {"stored": sha(np.array(stored.convert("RGB"))), "exif": sha(np.array(turned.convert("RGB")))}
    entry |= {"white": sha(convert_to_rgb(opened(), return_numpy=True)), "both": sha(convert_to_rgb(turned, return_numpy=True))}
    return entry | {"bytes": base64.b64encode(data).decode()}


def main() -> None:
    warnings.simplefilter("ignore")
    groups = {"orientations": orientations(), "notes": notes(), "transparent": transparent()}
    lists = []
    for group, files in groups.items():
        entries = [entry for name, data in files.items() if (entry := record(name, data))]
        lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)
        lists.append(f'  "{group}": [\n{lines}\n  ]')
        print(group, len(entries))
    (FOLDER / "views.json").write_text("{\n" + ",\n".join(lists) + "\n}\n")


if __name__ == "__main__":
    main()
