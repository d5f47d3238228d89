"""Celery on Redis as a contestant: its arguments are those of client.ts."""

from celery_tasks import tasks
from measures import measure

PATIENCE_S = 60


def gather(results):
    return [result.get(timeout=PATIENCE_S) for result in results]


def submit(fn, *args):
    return tasks[fn.__name__].delay(*args)


if __name__ == "__main__":
    measure(
        submit,
        gather,
        lambda fn, inputs: gather([submit(fn, value) for value in inputs]),
    )
