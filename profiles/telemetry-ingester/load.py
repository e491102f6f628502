"""Writes the request bodies of the ingester: python3 load.py

small.msgpack.gz has 100 records of 250 bytes of samples each, large.msgpack.gz 2,000 of 4,000.
"""

import gzip

import msgpack


def batch(records, raw):
    samples = bytes(range(250)) * (raw // 250)
    out = bytearray()
    msgpack.pack(
        [
            {"m": f"measurement.{i % 100:03}", "t": i, "v": i / 8, "raw": samples}
            for i in range(records)
        ],
        out,
    )
    return out


for name, records, raw in [("small", 100, 250), ("large", 2000, 4000)]:
    payload = batch(records, raw)
    with open(f"{name}.msgpack.gz", "wb") as file:
        file.write(gzip.compress(payload, mtime=0))
    print(f"{name}: {len(payload)} bytes")
