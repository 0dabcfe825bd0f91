"""One image file: what is read of it, and what is refused by name."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import data
from data.sources import image_files
from tests.data.sources.test_image_folder import picture

# By the number of channels: a PNG's type of colour.
PNG_COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}


def png(channels, bits, interlaced=False):
    """A PNG of 6×5 written by hand: Pillow writes no 16 bits in colour."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    size = struct.pack(">IIBBBBB", 5, 6, bits, PNG_COLOUR[channels], 0, 0, interlaced)
    rows = b"".join(b"\0" + bytes(range(5 * channels * bits // 8)) for _ in range(6))
    content = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_of_16_bits_is_refused_whatever_its_channels(tmp_path, channels, interlaced):
    file = tmp_path / "one.png"
    file.write_bytes(png(channels, 16, interlaced))
    for read in (image_files.header, image_files.pixels):
        with pytest.raises(data.DataError, match="one.png has more than 8 bits .*; save it with 8"):
            read(file)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_of_8_bits_is_read_to_the_last(tmp_path, channels):
    file = tmp_path / "one.png"
    file.write_bytes(png(channels, 8))
    row = np.arange(5 * channels, dtype=np.uint8).reshape(5, channels)
    kept = row[:, : 1 if channels < 3 else 3]
    np.testing.assert_array_equal(image_files.pixels(file), np.stack([kept] * 6))
    assert image_files.header(file) == (6, 5, kept.shape[1])


def tiff(bits, channels, kind=1):
    """An uncompressed TIFF of 6×5 written by hand; kind 1 is of whole numbers, 3 of floats."""
    count, first = 10 + (channels in (2, 4)), 8 + 2 + 12 * (10 + (channels in (2, 4))) + 4

    def several(value, place):
        if channels < 3:
            return value | value << 16 * (channels - 1)
        return first + 2 * channels * place

    tags = {256: 5, 257: 6, 258: several(bits, 0), 259: 1, 262: 2 if channels > 2 else 1}
    tags |= {273: first + 4 * channels, 274: 1, 277: channels, 278: 6, 339: several(kind, 1)}
    tags |= {338: 2} if channels in (2, 4) else {}
    content = b"II*\0" + struct.pack("<IH", 8, count)
    for tag, value in sorted(tags.items()):
        content += struct.pack("<HHII", tag, 3, channels if tag in (258, 339) else 1, value)
    content += bytes(4) + struct.pack(f"<{2 * channels}H", *[bits] * channels, *[kind] * channels)
    return content + bytes(range(180))[: 30 * channels * bits // 8].ljust(30 * channels * bits // 8)


@pytest.mark.parametrize(("bits", "channels"), [(16, 1), (16, 3), (16, 4)])
def test_a_tiff_of_16_bits_is_refused_whatever_its_channels(tmp_path, bits, channels):
    (tmp_path / "one.tif").write_bytes(tiff(bits, channels))
    for read in (image_files.header, image_files.pixels):
        with pytest.raises(data.DataError, match="one.tif has more than 8 bits .*; save it with 8"):
            read(tmp_path / "one.tif")


@pytest.mark.parametrize(("bits", "channels", "kind"), [(16, 2, 1), (32, 3, 1), (32, 3, 3)])
def test_a_tiff_that_pillow_does_not_know_is_named_with_the_remedy(tmp_path, bits, channels, kind):
    (tmp_path / "one.tif").write_bytes(tiff(bits, channels, kind))
    with pytest.raises(data.DataError, match="one.tif cannot be read .* with 8 bits .*; save it"):
        image_files.header(tmp_path / "one.tif")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_tiff_of_8_bits_is_read(tmp_path, channels):
    (tmp_path / "one.tif").write_bytes(tiff(8, channels))
    stored = np.frombuffer(tiff(8, channels)[-30 * channels :], np.uint8).reshape(6, 5, channels)
    kept = stored[..., : 1 if channels < 3 else 3]
    np.testing.assert_array_equal(image_files.pixels(tmp_path / "one.tif"), kept)


def test_another_format_under_a_known_name_is_not_read(tmp_path):
    deep = b"P6 5 6 65535\n" + bytes(range(180))  # a PPM of 16 bits in colour, which Pillow halves
    (tmp_path / "one.png").write_bytes(deep)
    with pytest.raises(data.DataError, match="one.png cannot be read as an image .* save it as"):
        image_files.pixels(tmp_path / "one.png")


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGBA", 3), ("CMYK", 3)]
)
def test_pillows_modes(tmp_path, mode, channels):
    file = tmp_path / f"one.{'jpg' if mode == 'CMYK' else 'png'}"
    Image.fromarray(picture(0)).convert(mode).save(file)
    read = image_files.pixels(file)
    assert (read.shape, read.dtype) == ((6, 5, channels), np.uint8)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_photograph_stands_upright(tmp_path, ending):
    file, exif = tmp_path / f"one.{ending}", Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(picture(0)).save(file, exif=exif)
    np.testing.assert_array_equal(image_files.pixels(file), np.rot90(picture(0), -1))
    assert image_files.header(file) == (5, 6, 3)
