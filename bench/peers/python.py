"""Python's pools as contestants: the workloads of measure.mjs, in Python."""

import json
import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor, wait

WARM_UPS = 3
SAMPLES = 5
PATIENCE = 1.5


def noop(_input):
    return None


def retag(record):
    return {**record, "id": record["id"] + 1, "tags": [*record["tags"], "done"]}


def increment(n):
    return n + 1


class Executor:
    """concurrent.futures.ProcessPoolExecutor."""

    def __init__(self, workers, start_method=None):
        context = multiprocessing.get_context(start_method)
        self.pool = ProcessPoolExecutor(workers, mp_context=context)

    def run_all(self, fn, inputs):
        futures = [self.pool.submit(fn, value) for value in inputs]
        wait(futures)
        return [future.result() for future in futures]

    def map(self, fn, inputs):
        return list(self.pool.map(fn, inputs))


class Pool:
    """multiprocessing.Pool."""

    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers)

    def run_all(self, fn, inputs):
        results = [self.pool.apply_async(fn, (value,)) for value in inputs]
        return [result.get() for result in results]

    def map(self, fn, inputs):
        return self.pool.map(fn, inputs)


def spawned(workers):
    return Executor(workers, "spawn")


def first_result():
    start = time.perf_counter()
    executor = spawned(2)
    executor.run_all(noop, [0])
    elapsed = time.perf_counter() - start
    executor.pool.shutdown()
    return elapsed * 1e3


def repeat(times, sample):
    results = []
    end = time.perf_counter() + PATIENCE
    while True:
        results.append(sample())
        if len(results) == times or time.perf_counter() > end:
            return results


def rates(count, work):
    def sample():
        start = time.perf_counter()
        work()
        return count / (time.perf_counter() - start)

    repeat(WARM_UPS, sample)
    return repeat(SAMPLES, sample)


def measure(pool, workload, scale):
    count = int(20_000 * scale)
    match workload:
        case "noop" | "process-noop":
            return rates(count, lambda: pool.run_all(noop, [0] * count))
        case "objects":
            records = [
                {"id": i, "name": f"record {i}", "tags": ["a", "b"]}
                for i in range(count)
            ]
            return rates(count, lambda: pool.run_all(retag, records))
        case "map":
            numbers = list(range(10 * count))
            return rates(10 * count, lambda: pool.map(increment, numbers))
        case "latency" | "process-latency":
            times = []
            for _ in range(int(2_000 * scale)):
                start = time.perf_counter()
                pool.run_all(noop, [0])
                times.append((time.perf_counter() - start) * 1e6)
            return [statistics.median(times)]
        case "process-start":
            repeat(WARM_UPS, first_result)
            return repeat(SAMPLES, first_result)
        case _:
            raise ValueError(f"No workload {workload}")


if __name__ == "__main__":
    run = json.loads(sys.argv[1])
    contestants = {"executor": Executor, "pool": Pool, "spawn": spawned}
    contestant = contestants[run["options"]["name"]](2)
    print(json.dumps({"samples": measure(contestant, run["workload"], run["scale"])}))
