#!/usr/bin/python3
"""packaging/windows/icon.py FILE: callready's icon, a white tick on a green disc, in the sizes that Windows asks for."""

import math
import struct
import sys
import zlib

SIZES = (16, 24, 32, 48, 64, 256)
GREEN, WHITE = (0x1B, 0x7F, 0x4B), (0xFF, 0xFF, 0xFF)
TICK = ((0.27, 0.53), (0.44, 0.69), (0.74, 0.35))  # of the side
STROKE = 0.075
STEPS = 4  # samples a pixel, each way


def to_segment(x, y, a, b):
    """How far a point is from the line from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = max(0.0, min(1.0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)))
    return math.hypot(x - a[0] - along * dx, y - a[1] - along * dy)


def colour(x, y):
    """The colour at a place of the unit square; nothing outside of the disc."""
    if math.hypot(x - 0.5, y - 0.5) > 0.48:
        return None
    near = min(to_segment(x, y, a, b) for a, b in zip(TICK, TICK[1:]))
    return WHITE if near <= STROKE else GREEN


def pixel(column, row, size):
    samples = [colour((column + (i + 0.5) / STEPS) / size, (row + (j + 0.5) / STEPS) / size)
               for i in range(STEPS) for j in range(STEPS)]
    inside = [sample for sample in samples if sample]
    if not inside:
        return bytes(4)
    mean = [sum(sample[i] for sample in inside) // len(inside) for i in range(3)]
    return bytes([*mean, 255 * len(inside) // len(samples)])


def png(size):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(pixel(column, row, size) for column in range(size))
                    for row in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def main():
    images = [png(size) for size in SIZES]
    offset = 6 + 16 * len(SIZES)
    icon = struct.pack("<HHH", 0, 1, len(SIZES))
    for size, image in zip(SIZES, images):
        icon += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(image), offset)
        offset += len(image)
    with open(sys.argv[1], "wb") as file:
        file.write(icon + b"".join(images))


if __name__ == "__main__":
    main()
