"""Pictures for scenarios, drawn byte by byte: in each format that models accept, and in some that they do not."""

import struct
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor

# 1 x 1 pixel, as `cwebp -lossless` writes it.
WEBP = bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")


def png(shows: str, width: int = 8, height: int = 8, padding: int = 0) -> bytes:
    """A grey PNG, described in a text chunk ("Description") that the fake model reads. `padding`: bytes of a further chunk
    without meaning."""
    row = b"\0" + bytes([200]) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tEXt", b"Description\0" + shows.encode("latin-1"))]
    if padding:
        chunks.append((b"prVt", bytes(padding)))
    chunks += [(b"IDAT", zlib.compress(row * height, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def put_folder(stack, count: int, different: int) -> tuple[str, dict[str, bytes]]:
    """Puts pictures, some of them equal, into a folder of their own. Returns the address of the folder, and the pictures by
    address."""
    key = f"inputs/{uuid.uuid4().hex}/"
    drawn = {f"{key}{number:04}.png": png(f"thing {number % different}") for number in range(count)}
    with ThreadPoolExecutor(8) as pool:
        addresses = pool.map(stack.put, drawn, drawn.values())
        return f"s3://{stack.bucket}/{key}", dict(zip(addresses, drawn.values(), strict=True))


def jpeg(comment: str, side: int = 16) -> bytes:
    """A grey baseline JPEG: every block is `no difference, no detail`, one bit each."""
    quantization = b"\0" + bytes([16]) * 64
    frame = struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00"
    # One code of one bit: 0 for DC, and end of block for AC.
    huffman = b"".join(bytes([table]) + b"\x01" + bytes(15) + b"\x00" for table in (0x00, 0x10))
    blocks = ((side + 7) // 8) ** 2
    bits = "0" * (2 * blocks)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    segments = [(0xFE, comment.encode()), (0xDB, quantization), (0xC0, frame), (0xC4, huffman)]
    parts = [b"\xff" + bytes([mark]) + struct.pack(">H", len(body) + 2) + body for mark, body in segments]
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + data + b"\xff\xd9"


def gif(red: int = 0) -> bytes:
    """1 x 1 pixel."""
    colors = bytes([red, 0, 0, 255, 255, 255])
    return b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + colors + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"


def bmp() -> bytes:
    """1 x 1 pixel, in a format that models do not accept."""
    pixel = b"\0\0\xff\0"
    info = struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, len(pixel), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixel), 0, 0, 54) + info + pixel
