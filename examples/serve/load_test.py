"""Asks a running service for samples, several at a time, and prints what it took.

    python load_test.py [--url http://127.0.0.1:8000] [--requests 1000] [--at-a-time 8] [-n 4]

The same request must give the same bytes. The exit code is 1 if any request failed.
"""

import argparse
import asyncio
import hashlib
import sys
import time

import httpx
import numpy as np

SEEDS = 20  # different requests; each is asked many times


async def measure(
    url: str, requests: int, at_a_time: int, n: int
) -> tuple[list[float], int, float]:
    """Returns the seconds of each request, how many failed, and the seconds of all."""
    seconds, failed, answers = [], 0, {}
    waiting = iter(range(requests))

    async def client(session: httpx.AsyncClient) -> None:
        nonlocal failed
        for number in waiting:
            seed = number % SEEDS
            start = time.perf_counter()
            try:
                answer = await session.get(f"/sample?n={n}&seed={seed}")
                digest = hashlib.sha256(answer.content).hexdigest()
                good = answer.status_code == 200 and answers.setdefault(seed, digest) == digest
            except httpx.HTTPError:
                good = False
            failed += not good
            seconds.append(time.perf_counter() - start)

    async with httpx.AsyncClient(base_url=url, timeout=30) as session:
        await session.get(f"/sample?n={n}")  # the first request traces
        start = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(at_a_time)))
        return seconds, failed, time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--at-a-time", type=int, default=8)
    parser.add_argument("-n", type=int, default=4, help="samples of a request")
    given = parser.parse_args()
    seconds, failed, total = asyncio.run(
        measure(given.url, given.requests, given.at_a_time, given.n)
    )
    print(f"{len(seconds)} requests, {given.at_a_time} at a time, {failed} failed")
    print(f"{len(seconds) / total:.0f} requests per second")
    for percent in (50, 90, 99, 100):
        print(f"  {percent:3} % within {1000 * np.percentile(seconds, percent):.1f} ms")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
