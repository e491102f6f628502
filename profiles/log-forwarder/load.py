#!/usr/bin/env python3
"""The clients of the forwarder and its destination.

    load.py POSTS MILLISECONDS CONNECTIONS -- COMMAND...

Starts the command (the forwarder, perhaps under a recorder), sends it that many posts over that
many keep-alive connections in turn, with that long between two of them, and waits for its end.
Every second connection speaks HTTP/1.1, the others frames. One post at a time, everything in an
order that is always the same, so two exact recordings differ by what was switched.

A post is 5,000 lines of JSON: 168,000 bytes, or 5,000,000 for the first one of each connection
(what the client has piled up while it was away) and for one in a hundred. What goes wrong, and
before which post, is in `troubles`.
"""

import os
import socket
import struct
import subprocess
import sys
import time

LINES = 5000
TAGS = 8
DATA, HEADERS, RST_STREAM, PING, UNKNOWN, END_STREAM = 0, 1, 3, 6, 0xBB, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OUTAGE, OUTAGE_LENGTH = 150, 4  # the destination is away for the posts 150 to 153, 450 to 453, ...

state = 0x9E3779B97F4A7C15


def noise(length):
    """Hexadecimal digits, the same ones in every run."""
    global state
    digits = ""
    while len(digits) < length:
        state ^= state << 13 & (1 << 64) - 1
        state ^= state >> 7
        state ^= state << 17 & (1 << 64) - 1
        digits += f"{state:016x}"
    return digits[:length]


def make_post(sizes):
    """Lines of these sizes in turn, with the bytes of the newline counted."""
    lines = []
    for i in range(LINES):
        head = f'{{"t":{1700000000 + i},"l":"'
        lines.append(head + noise(sizes[i % len(sizes)] - len(head) - 3) + '"}\n')
    return "".join(lines).encode()


regular = make_post([33, 34, 34, 34, 33])
large = make_post([1000])
assert len(regular) == 168_000 and len(large) == 5_000_000


def spoil(body):
    """The line in the middle, cut in the middle: of the same size, and no object."""
    at = body.index(b"\n", len(body) // 2) + 1
    end = body.index(b"\n", at)
    return body[:at] + b"-" * (end - at) + body[end:]


def frame(kind, flags, stream, payload):
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream)
    return head + payload


def tag_of(post):
    return b"app-%d" % (post % TAGS)


class Client:
    def __init__(self, port, framed):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.framed = framed
        self.stream = 1
        self.preface = PREFACE if framed else b""

    def send(self, data):
        self.socket.sendall(self.preface + data)
        self.preface = b""

    def read(self, length):
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            assert part, "the forwarder closed a connection"
            data += part
        return data

    def read_frame(self):
        head = self.read(9)
        return head[3], self.read(int.from_bytes(head[:3], "big"))

    def head(self, tag, length):
        if self.framed:
            return frame(HEADERS, 0, self.stream, b":method: POST\nx-tag: %s\n" % tag)
        return (b"POST /logs HTTP/1.1\r\nHost: forwarder\r\nX-Tag: %s\r\n"
                b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % (tag, length))

    def post(self, tag, body):
        """Sends one post and returns the status."""
        if self.framed:
            data = [self.head(tag, len(body))]
            for at in range(0, len(body), 16384):
                last = END_STREAM if at + 16384 >= len(body) else 0
                data.append(frame(DATA, last, self.stream, body[at:at + 16384]))
            self.send(b"".join(data))
            self.stream += 2
            kind, payload = self.read_frame()
            assert kind == HEADERS
            return int(payload.split()[1])
        self.send(self.head(tag, len(body)) + body)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.read(1)
        return int(answer.split()[1])

    def ping(self):
        self.send(frame(PING, 0, 0, b""))
        assert self.read_frame() == (PING, b"")

    def finish(self):
        """No more from here; waits until the forwarder has closed, and returns what it said."""
        self.socket.shutdown(socket.SHUT_WR)
        return self.wait()

    def wait(self):
        data = b""
        while part := self.socket.recv(4096):
            data += part
        self.socket.close()
        return data


# ---- what goes wrong, each on a connection of its own ----

def abort(port):
    client = Client(port, False)
    client.send(client.head(b"app-0", 168_000) + regular[:40_000])
    client.finish()


def bad_header(port):
    client = Client(port, False)
    client.send(b"POST /logs HTTP/1.1\r\nHost: forwarder\r\nX-Broken\r\n\r\n")
    assert b" 400 " in client.wait()


def bad_length(port):
    client = Client(port, False)
    client.send(b"POST /logs HTTP/1.1\r\nHost: forwarder\r\nContent-Length: many\r\n\r\n")
    assert b" 400 " in client.wait()


def timeout(port):
    client = Client(port, False)
    client.send(client.head(b"app-0", 168_000) + regular[:1000])
    assert b" 408 " in client.wait()


def too_large(port):
    client = Client(port, False)
    client.send(client.head(b"app-0", 1 << 30))
    assert b" 413 " in client.wait()


def unknown_frame(port):
    client = Client(port, True)
    client.send(frame(UNKNOWN, 0, 0, b"what no one has heard of"))
    client.ping()
    client.finish()


def reset(port):
    client = Client(port, True)
    client.send(client.head(b"app-0", 0) + frame(DATA, 0, 1, regular[:16384])
                + frame(RST_STREAM, 0, 1, b"\0\0\0\x08"))
    client.ping()
    client.finish()


# Before the posts first, first + every, first + 2 * every and so on.
troubles = [
    (13, 40, abort),
    (31, 60, bad_header),
    (22, 75, bad_length),
    (35, 90, timeout),
    (44, 110, too_large),
    (70, 130, unknown_frame),
    (24, 48, reset),
]
MALFORMED = 7, 21  # a line of these posts is malformed
REFUSED = 40, 65   # the destination refuses the segments of these posts once


def due(post, schedule):
    return post >= schedule[0] and (post - schedule[0]) % schedule[1] == 0


class Destination:
    """Takes the segments; answers each with A, or first with N."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self):
        self.socket, _ = self.listener.accept()

    def read(self, length):
        while length:
            part = self.socket.recv(min(length, 1 << 16))
            assert part, "the forwarder closed the way out"
            length -= len(part)

    def segment(self):
        head = self.socket.recv(4, socket.MSG_WAITALL)
        self.read(struct.unpack(">I", head)[0])

    def take(self, refuse=False):
        self.segment()
        if refuse:
            self.socket.sendall(b"N")
            self.segment()
        self.socket.sendall(b"A")


def main():
    posts, pause, connections = (int(argument) for argument in sys.argv[1:4])
    command = sys.argv[sys.argv.index("--") + 1:]
    destination = Destination()
    environment = dict(os.environ, DESTINATION=str(destination.port))
    forwarder = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    destination.accept()
    port = 0
    while not port:  # a recorder may print something before
        line = forwarder.stdout.readline()
        assert line, "the forwarder has ended"
        port = int(line) if line.strip().isdigit() else 0

    clients = [Client(port, i % 2 == 1) for i in range(connections)]
    for post in range(1, posts + 1):
        for first, every, trouble in troubles:
            if due(post, (first, every)):
                trouble(port)
        body = large if post <= connections or post % 100 == 60 else regular
        if due(post, MALFORMED):
            body = spoil(body)
        assert clients[(post - 1) % connections].post(tag_of(post), body) == 201
        away = (post - OUTAGE) % 300
        if post < OUTAGE or away >= OUTAGE_LENGTH:
            destination.take(refuse=due(post, REFUSED))
        elif away == OUTAGE_LENGTH - 1:
            for more in range(1, OUTAGE_LENGTH + 1):  # the queue is full
                client = clients[(post - 1 + more) % connections]
                assert client.post(tag_of(post), regular) == 503
            for _ in range(OUTAGE_LENGTH):
                destination.take()
        time.sleep(pause / 1000)
    forwarder.stdout.read()
    sys.exit(forwarder.wait())


if __name__ == "__main__":
    main()
