"""The workloads of client.ts, in Python, over anything that can submit."""

import json
import os
import signal
import statistics
import sys
import time


def noop(_=None):
    return None


def busy(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


def echo(value):
    return value


def length_of(value):
    return len(value)


def make(length):
    return bytes(length)


def increment(n):
    return n + 1


def wait(path):
    """The first time it waits to be killed, with its node."""
    if os.path.exists(path):
        return
    with open(path + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".new", path)
    time.sleep(60)


def seconds(run):
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def measure(submit, gather, gather_map):
    """Writes a line of JSON for each workload: its name, and the figure.

    submit(fn, *args) gives a handle, gather(handles) their values, and
    gather_map(fn, inputs) does both.
    """
    _, _url, folder, workloads = sys.argv
    megabyte = bytes(1_000_000)
    large = bytes(32_000_000)

    def of_bytes(count, megabytes, fn, argument):
        def run():
            for left in range(count, 0, -2):
                gather([submit(fn, argument) for _ in range(min(left, 2))])

        return count * megabytes / seconds(run)

    def of_busy(ms, count):
        passed = seconds(lambda: gather([submit(busy, ms) for _ in range(count)]))
        return count * ms / 1000 / 2 / passed

    def single(count):
        times = [seconds(lambda: gather([submit(noop)])) for _ in range(count)]
        return 1000 * statistics.median(times)

    def rerun(_count):
        path = os.path.join(folder, "rerun")
        handle = submit(wait, path)
        while not os.path.exists(path):
            time.sleep(0.02)
        with open(path) as file:
            pid = int(file.read())

        def run():
            os.kill(pid, signal.SIGKILL)
            gather([handle])

        return 1000 * seconds(run)

    measures = {
        "noop": lambda count: count
        / seconds(lambda: gather([submit(noop) for _ in range(count)])),
        "busy-1": lambda count: of_busy(1, count),
        "busy-10": lambda count: of_busy(10, count),
        "busy-50": lambda count: of_busy(50, count),
        "megabyte": lambda count: of_bytes(count, 2, echo, megabyte),
        "argument": lambda count: of_bytes(count, 32, length_of, large),
        "result": lambda count: of_bytes(count, 32, make, 32_000_000),
        "single": single,
        "map": lambda count: count
        / seconds(lambda: gather_map(increment, range(count))),
        "rerun": rerun,
    }
    gather([submit(noop) for _ in range(100)])
    for name, count in json.loads(workloads).items():
        try:
            print(json.dumps([name, measures[name](count)]), flush=True)
        except Exception as error:
            print(json.dumps([name, repr(error)[:80]]), flush=True)
