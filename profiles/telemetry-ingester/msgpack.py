"""As much MessagePack as telemetry needs: maps, arrays, text, bytes, whole and decimal numbers."""

import struct


def pack(value, out):
    """Appends the encoding of value to the bytearray out."""
    if isinstance(value, int):
        out += struct.pack(">Bq", 0xD3, value)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xCB, value)
    elif isinstance(value, str):
        text = value.encode()
        out += struct.pack(">BB", 0xD9, len(text)) + text
    elif isinstance(value, bytes):
        out += struct.pack(">BI", 0xC6, len(value))
        out += value
    elif isinstance(value, list):
        out += struct.pack(">BI", 0xDD, len(value))
        for item in value:
            pack(item, out)
    elif isinstance(value, dict):
        out += struct.pack(">BI", 0xDF, len(value))
        for key, item in value.items():
            pack(key, out)
            pack(item, out)
    else:
        raise TypeError(type(value))


def unpack(view, at, raw):
    """The value at a position of a memoryview and the position behind it; raw makes bytes."""
    kind = view[at]
    at += 1
    if kind == 0xD3:
        return struct.unpack_from(">q", view, at)[0], at + 8
    if kind == 0xCB:
        return struct.unpack_from(">d", view, at)[0], at + 8
    if kind == 0xD9:
        end = at + 1 + view[at]
        return str(view[at + 1 : end], "utf-8"), end
    (length,) = struct.unpack_from(">I", view, at)
    at += 4
    if kind == 0xC6:
        return raw(view[at : at + length]), at + length
    if kind == 0xDD:
        items = []
        for _ in range(length):
            item, at = unpack(view, at, raw)
            items.append(item)
        return items, at
    if kind == 0xDF:
        pairs = {}
        for _ in range(length):
            key, at = unpack(view, at, raw)
            pairs[key], at = unpack(view, at, raw)
        return pairs, at
    raise ValueError(f"kind {kind:#x} at {at - 1}")


def length(view):
    """Number of items of the array that begins here."""
    if view[0] != 0xDD:
        raise ValueError("no array")
    return struct.unpack_from(">I", view, 1)[0]


def records(view, raw):
    """The items of an array, one at a time."""
    at = 5
    for _ in range(length(view)):
        item, at = unpack(view, at, raw)
        yield item
