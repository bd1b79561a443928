"""A generator of HTTP questions at a fixed rate, each about another customer: `python -m benchmarks.open_loop`.

Why not `hey`: it sends one body for ever, so that the same few rows are asked again and again, and it begins the clock
of a request when it sends it; where the server stalls, hey waits politely with it and the stall is counted once
("coordinated omission"). Here requests are prepared beforehand, each has its moment, sent or not, and its time is
counted from that moment: what waits for a free connection has waited. One thread, plain sockets, `select` with
microseconds; it needs about a tenth of a core at 2,000 a second and prints what it used.
"""

from __future__ import annotations

import json
import random
import select
import socket
import sys
import time
from bisect import bisect_left
from collections import deque
from itertools import accumulate

CONNECTIONS = 32


def customers(number: int, count: int, *, zipf: bool, seed: int) -> list[int]:
    """Which customers are asked about: each alike, or the first far more often (Zipf with exponent 1)."""
    draw = random.Random(seed)
    if not zipf:
        return [draw.randrange(number) for _ in range(count)]
    weights = list(accumulate(1 / rank for rank in range(1, number + 1)))
    order = list(range(number))
    draw.shuffle(order)
    return [order[bisect_left(weights, draw.random() * weights[-1])] for _ in range(count)]


def request(path: str, body: bytes, port: int) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def connected(port: int) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.setblocking(False)
    return one


def whole(answer: bytes) -> bool:
    """Whether an answer has come in full."""
    head, sign, body = answer.partition(b"\r\n\r\n")
    if not sign:
        return False
    place = head.lower().find(b"content-length:")
    return place >= 0 and len(body) >= int(head[place + 15 :].split(b"\r\n", 1)[0])


def ask_at_rate(requests: list[bytes], *, port: int, rate: float) -> dict[str, float]:
    """Send each at its moment; times from that moment, in seconds."""
    step = 1 / rate
    # In turn: a connection that idles for five seconds is closed by the server.
    free = deque(connected(port) for _ in range(CONNECTIONS))
    busy: dict[socket.socket, float] = {}
    parts: dict[socket.socket, bytes] = {}
    times: list[float] = []
    good = allowed = late = 0
    place, count = 0, len(requests)
    clock = time.perf_counter
    begin = clock() + 0.05
    used = time.process_time()
    while len(times) < count:
        moment = clock()
        while place < count and free and begin + place * step <= moment:
            one = free.popleft()
            one.send(requests[place])
            busy[one] = begin + place * step
            late += moment - busy[one] > 0.001
            place += 1
        due = begin + place * step - clock() if place < count and free else 0.05
        if not busy:
            if due > 0:
                time.sleep(due)
            continue
        ready, _, _ = select.select(list(busy), [], [], max(due, 0))
        for one in ready:
            answer = one.recv(1 << 16)
            if not answer:
                raise ConnectionError("the server closed a connection")
            if one in parts:
                answer = parts.pop(one) + answer
            if not whole(answer):
                parts[one] = answer
                continue
            times.append(clock() - busy.pop(one))
            free.append(one)
            good += answer.startswith(b"HTTP/1.1 200")
            allowed += b'"allowed":true' in answer
    wall = clock() - begin
    used = time.process_time() - used
    for one in free:
        one.close()
    times.sort()
    return {
        "rate": count / wall,
        "p50": times[count // 2] * 1000,
        "p99": times[int(count * 0.99)] * 1000,
        "p999": times[int(count * 0.999)] * 1000,
        "worst": times[-1] * 1000,
        "other": count - good,
        "allowed": allowed / count,
        "sent_late": late / count,
        "generator_core": used / wall,
    }


def ask_batches(requests: list[bytes], *, port: int, at_once: int) -> float:
    """Seconds until all batches are answered, so many of them under way at a time."""
    waiting = list(reversed(requests))
    parts: dict[socket.socket, list[bytes]] = {}
    left: dict[socket.socket, bytes] = {}
    free = [connected(port) for _ in range(at_once)]
    begin, done = time.perf_counter(), 0
    while done < len(requests):
        while waiting and free:
            one = free.pop()
            left[one], parts[one] = waiting.pop(), []
        writing = [one for one, rest in left.items() if rest]
        ready, can, _ = select.select(list(parts), writing, [], 1)
        for one in can:
            left[one] = left[one][one.send(left[one][: 1 << 18]) :]
        for one in ready:
            parts[one].append(one.recv(1 << 20))
            if parts[one][-1].endswith(b"]}") and whole(answer := b"".join(parts[one])):
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise ConnectionError(answer[:300].decode())
                del parts[one], left[one]
                free.append(one)
                done += 1
    return time.perf_counter() - begin


def main(arguments: list[str]) -> None:
    """`single PORT CUSTOMERS RATE SECONDS uniform|zipf` or `batch PORT CUSTOMERS SIZE BATCHES`: one JSON document."""
    sort, port, number = arguments[0], int(arguments[1]), int(arguments[2])
    path = "/api/v1/attention/may-send"
    if sort == "single":
        rate, seconds, zipf = float(arguments[3]), float(arguments[4]), arguments[5] == "zipf"
        purposes = ("offer", "offer", "useful", "press")
        asked = customers(number, int(rate * seconds), zipf=zipf, seed=7)
        bodies = [
            json.dumps(
                {"customer": str(who), "channel": "push", "purpose": purposes[place % 4]},
                separators=(",", ":"),
            ).encode()
            for place, who in enumerate(asked)
        ]
        ready = [request(path, body, port) for body in bodies]
        # The first second warms the server up and is not counted.
        ask_at_rate(ready[: int(rate)], port=port, rate=rate)
        print(json.dumps(ask_at_rate(ready, port=port, rate=rate)))
        return
    size, batches = int(arguments[3]), int(arguments[4])
    asked = customers(number, size * batches, zipf=False, seed=8)
    ready = []
    for at in range(0, len(asked), size):
        questions = [
            {"customer": str(who), "channel": "push", "purpose": "offer"} for who in asked[at : at + size]
        ]
        ready.append(
            request(path, json.dumps({"questions": questions}, separators=(",", ":")).encode(), port)
        )
    ask_batches(ready[:1], port=port, at_once=1)
    print(json.dumps({"rate": len(asked) / ask_batches(ready, port=port, at_once=2)}))


if __name__ == "__main__":
    main(sys.argv[1:])
