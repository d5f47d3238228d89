"""dask.distributed as a contestant: its arguments are those of client.ts."""

import sys
import warnings

from distributed import Client

from measures import measure

if __name__ == "__main__":
    # That values are large is the point.
    warnings.simplefilter("ignore")
    client = Client(sys.argv[1])
    # Workers know nothing of this folder.
    client.upload_file(__file__.replace("dask_client", "measures"))
    measure(
        lambda fn, *args: client.submit(fn, *args, pure=False),
        client.gather,
        lambda fn, inputs: client.gather(client.map(fn, inputs, pure=False)),
    )
