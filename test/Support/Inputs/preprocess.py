"""Images to inputs: the bytes of Pillow, the arithmetic of NumPy, and what is refused.

The digests and the JPEG file were made with Pillow 9.4 (Image.resize with BILINEAR).
"""
import base64
import hashlib
import struct
import sys
import zlib

import numpy as np

import qcc

folder = sys.argv[1]
y, x = np.mgrid[0:24, 0:32]
PIXELS = np.stack([8 * x, 10 * y, (x * y) % 256], -1).astype(np.uint8)
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdB"
    "RkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT09PT09PT0//wAARCAAYACADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAA"
    "AgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6"
    "Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG"
    "x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA"
    "AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5"
    "OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPE"
    "xcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDg4bTPar0Nl7Vo29pnHFaVvZdOKzor2pGG"
    "xljJhsPar0On/wCzWqlusZA25b0q1FayP7fSrqfV4Pl+J9kfRYTGN9SrbWmccVpLbeWgwPmPSiiuGjVlTwspxeun4tI/OsNU"
    "k5Is21jxkirkduWOEGB645oorGpJ01CENL79z6PC1ZPU/9k=")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels):
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


def write(name, data):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(data)
    return f"{folder}/{name}"


def digest(array):
    return hashlib.sha1(array.tobytes()).hexdigest()


def refused(text, *args):
    try:
        qcc.preprocess(*args)
    except (ValueError, TypeError) as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"accepted: {text}")


shape = PIXELS.shape
alpha = np.concatenate([PIXELS, np.full((24, 32, 1), 255, np.uint8)], -1)
np.save(f"{folder}/a.npy", PIXELS)
for path in (write("a.png", png(PIXELS)), write("alpha.PNG", png(alpha)), f"{folder}/a.npy"):
    assert np.array_equal(qcc.preprocess(path, "layout=nhwc", shape, np.uint8), PIXELS), path
decoded = qcc.preprocess(write("a.jpg", JPEG), "layout=nhwc", shape, np.uint8)
assert digest(decoded) == "d300a5deb11e12d999dd118b830e3064f2cd90ad"
for height, width, expected in ((9, 13, "33a141041dd8e9b71146e11d13d9bb9ceebcb047"),
                                (41, 50, "92101034db2113efb24eb33f0bd43b3633416bd5")):
    small = qcc.preprocess(PIXELS, f"resize={height}x{width}", (1, height, width, 3), np.uint8)
    assert digest(small) == expected

# The shorter side, the centre, the normalization of ImageNet, both layouts.
steps = "resize=16,crop=12x10,scale=1/255,mean=0.485/0.456/0.406,std=0.229/0.224/0.225"
sized = qcc.preprocess(PIXELS, "resize=16x21", (16, 21, 3), np.uint8)
part = sized[2:14, 6:16]  # (21 - 10) / 2 rounds to even
expected = ((part * (1 / 255) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).astype(np.float32)
assert np.array_equal(qcc.preprocess(PIXELS, steps, (1, 12, 10, 3)), expected[None])
first = qcc.preprocess(PIXELS, steps, (1, 3, 12, 10))
assert np.array_equal(first, expected.transpose(2, 0, 1)[None])

# Colours.
bgr = qcc.preprocess(PIXELS, "color=bgr", (3, 24, 32), np.uint8)
assert np.array_equal(bgr, PIXELS[..., ::-1].transpose(2, 0, 1))
gray = qcc.preprocess(PIXELS, "", (1, 24, 32), np.uint8)[0]
r, g, b = (PIXELS[..., i].astype(np.uint32) for i in range(3))
assert np.array_equal(gray, (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16)
assert np.array_equal(qcc.preprocess(gray, "", (3, 24, 32), np.uint8), np.stack([gray] * 3))

refused("the image is 24x32, the input takes 8x8", PIXELS, "", (1, 3, 8, 8))
refused("crop=25x25 does not fit", PIXELS, "crop=25", (1, 3, 25, 25))
refused("no such step", PIXELS, "blur=3", shape)
refused("expected NAME=VALUE", PIXELS, "resize", shape)
refused("resize=0", PIXELS, "resize=0", shape)
refused("resize=2x3x4", PIXELS, "resize=2x3x4", shape)
refused("scale=1/0", PIXELS, "scale=1/0", shape)
refused("mean=a", PIXELS, "mean=a", shape)
refused("std=0: must not be 0", PIXELS, "std=0", shape)
refused("take one number, or 3", PIXELS, "mean=1/2", shape)
refused("without scale=", PIXELS, "scale=2", shape, np.uint8)
refused("takes no images", PIXELS, "", (24, 32, 3), np.int32)
refused("expected uint8", PIXELS.astype(np.float32), "", shape)
refused("is no PNG image", write("bad.png", b"nonsense"), "", shape)
refused("is damaged", write("cut.png", png(PIXELS)[:200]), "", shape)
refused("is no JPEG image", write("bad.jpg", b"nonsense"), "", shape)
refused("is damaged", write("cut.jpg", JPEG[:-30]), "", shape)
refused("cannot be opened", f"{folder}/none.jpg", "", shape)
refused("is neither", f"{folder}/none.gif", "", shape)
print("all good")
