"""The tasks of Celery, and its worker: python3 celery_tasks.py URL worker …"""

import sys

from celery import Celery

import measures

app = Celery("celery_tasks", broker=sys.argv[1], backend=sys.argv[1])
app.conf.update(
    accept_content=["pickle"],
    result_serializer="pickle",
    task_serializer="pickle",
    # A task that is lost with its worker comes again; by default in an hour.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)
names = ["noop", "busy", "echo", "length_of", "make", "increment", "wait"]
tasks = {
    name: app.task(getattr(measures, name), name=f"measures.{name}") for name in names
}

if __name__ == "__main__":
    app.worker_main(sys.argv[2:])
