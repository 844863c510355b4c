"""The small pictures of files/: odd sizes, every kind of PNG, JPEG and WebP, gradients with noise. Run by make.py."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def gradient(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """A slope in each channel, a quarter of noise, some of it at both ends of the range."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    slopes = [255 * (a * y / max(height - 1, 1) + (1 - a) * x / max(width - 1, 1)) for a in np.linspace(0.1, 0.9, channels)]
    noise = random.integers(-60, 61, (height, width, channels))
    return np.clip(np.stack(slopes, axis=-1) + noise, 0, 255).astype(np.uint8)


def png(width: int, height: int, depth: int, colour_type: int, rows: list[bytes], *, interlace=0, palette=b"", extra=b"") -> bytes:
    """A PNG from rows that are packed already, without filters."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlace)
    colours = chunk(b"PLTE", palette) if palette else b""
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + colours + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def packed(samples: np.ndarray, depth: int) -> bytes:
    """One row of samples, the first in the highest bits."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    if depth == 8:
        return samples.astype(np.uint8).tobytes()
    bits = ((samples.reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
    return np.packbits(bits.reshape(-1)).tobytes()


def rows(samples: np.ndarray, depth: int) -> list[bytes]:
    return [packed(row.reshape(-1), depth) for row in samples]


def interlaced_rows(samples: np.ndarray, depth: int) -> list[bytes]:
    """The seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    return [row for y, x, dy, dx in passes if samples[y::dy, x::dx].size for row in rows(samples[y::dy, x::dx], depth)]


def png_files() -> dict[str, bytes]:
    random = np.random.default_rng(7)
    files = {}
    for name, colour_type, channels, depth in [
        ("gray-1", 0, 1, 1), ("gray-2", 0, 1, 2), ("gray-4", 0, 1, 4), ("gray-8", 0, 1, 8), ("gray-16", 0, 1, 16),
        ("rgb-8", 2, 3, 8), ("rgb-16", 2, 3, 16), ("palette-1", 3, 1, 1), ("palette-2", 3, 1, 2), ("palette-4", 3, 1, 4),
        ("palette-8", 3, 1, 8), ("gray-alpha-8", 4, 2, 8), ("gray-alpha-16", 4, 2, 16), ("rgb-alpha-8", 6, 4, 8), ("rgb-alpha-16", 6, 4, 16),
    ]:
        height, width = (int(side) for side in random.integers(11, 38, 2))
        samples = gradient(height, width, channels, len(files)).astype(np.uint16) >> max(8 - depth, 0)
        if depth == 16:
            # Below 256 some values are, in gray the only ones that are not clipped.
            samples = samples * 251 >> random.integers(0, 9, samples.shape)
        # One index in some has no colour.
        palette = random.integers(0, 256, 3 * max((1 << depth) - 1, 2)).astype(np.uint8).tobytes() if colour_type == 3 else b""
        files[f"{name}.png"] = png(width, height, depth, colour_type, rows(samples, depth), palette=palette)
        data = interlaced_rows(samples, depth)
        files[f"{name}-interlaced.png"] = png(width, height, depth, colour_type, data, interlace=1, palette=palette)
    return files


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg_files() -> dict[str, bytes]:
    picture = Image.fromarray(gradient(45, 61, 3, 31))
    inks = Image.fromarray(gradient(33, 29, 4, 32), mode="CMYK")
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "420.jpg": saved(picture, "JPEG", quality=85, subsampling="4:2:0"),
        "422-progressive.jpg": saved(picture, "JPEG", quality=85, subsampling="4:2:2", progressive=True),
        "444-rotated.jpg": saved(picture, "JPEG", quality=85, subsampling="4:4:4", exif=exif),
        "420-restarts.jpg": saved(picture, "JPEG", quality=60, subsampling="4:2:0", restart_marker_blocks=3),
        "gray.jpg": saved(picture.convert("L"), "JPEG", quality=85),
        "cmyk.jpg": saved(inks, "JPEG", quality=85),
    }


def webp_files() -> dict[str, bytes]:
    picture, clear = Image.fromarray(gradient(45, 61, 3, 41)), Image.fromarray(gradient(39, 31, 4, 42), mode="RGBA")
    frames = [Image.fromarray(gradient(12, 12, 3, seed)) for seed in (43, 44)]
    return {
        "lossy.webp": saved(picture, "WEBP", quality=80),
        "lossless.webp": saved(picture, "WEBP", lossless=True),
        "lossy-alpha.webp": saved(clear, "WEBP", quality=80),
        "lossless-alpha.webp": saved(clear, "WEBP", lossless=True, exact=True),
        "animated.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True),
    }


def shapes() -> dict[str, bytes]:
    """What the resize must bear: one pixel, one row, shrinking by much on one axis, no change on one or both."""
    sizes = {"1x1": (1, 1), "1x3": (1, 3), "190x1": (190, 1), "28x28": (28, 28), "56x56": (56, 56), "56x61": (56, 61), "59x84": (59, 84)}
    return {f"shape-{name}.png": saved(Image.fromarray(gradient(*size, 3, sum(size))), "PNG", optimize=True) for name, size in sizes.items()}


def write(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = png_files() | jpeg_files() | webp_files() | shapes()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return sorted(folder / name for name in files)
