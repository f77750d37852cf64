"""Reads every part of one object like storage-worker.mjs: python storage.py ENGINE '{"endpoint": …}'."""

import hashlib
import json
import resource
import sys
import threading
import time

engine, task = sys.argv[1], json.loads(sys.argv[2])


def pyarrow_reader():
    from pyarrow import fs

    scheme, address = task["endpoint"].split("://")
    store = fs.S3FileSystem(endpoint_override=address, scheme=scheme, region="us-east-1")
    file = store.open_input_file(f"{task['bucket']}/{task['key']}")
    return lambda start, end: file.read_at(end - start, start)


def s3torch_reader():
    """The client of s3torchconnector (the AWS Common Runtime): its own package, so that it runs without PyTorch."""
    from s3torchconnectorclient._mountpoint_s3_client import MountpointS3Client

    client = MountpointS3Client(
        "us-east-1", endpoint=task["endpoint"], force_path_style=True, part_size=task["partBytes"]
    )

    def read(start, end):
        return b"".join(client.get_object(task["bucket"], task["key"], start=start, end=end))

    return read


def one_pass(read, take):
    size, part = task["sizeBytes"], task["partBytes"]
    parts = -(-size // part)
    numbers = iter(range(parts))
    lock = threading.Lock()
    failures = []

    def lane():
        try:
            while True:
                with lock:
                    i = next(numbers, None)
                if i is None:
                    return
                start, end = i * part, min(size, (i + 1) * part)
                data = read(start, end)
                if len(data) != end - start:
                    raise ValueError(f"{len(data)} bytes of {end - start}")
                take(i, data)
        except Exception as error:  # told by the main thread
            failures.append(error)

    lanes = [threading.Thread(target=lane) for _ in range(task["inFlight"])]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    if failures:
        raise failures[0]


def digested_pass(read):
    digests = {}
    one_pass(read, lambda i, data: digests.update({i: hashlib.sha256(data).digest()}))
    return hashlib.sha256(b"".join(digests[i] for i in sorted(digests))).hexdigest()


def main():
    read = {"pyarrow": pyarrow_reader, "s3torchconnector": s3torch_reader}[engine]()
    digests = [digested_pass(read)]
    samples = []
    for _ in range(task["passes"]):
        cpu, begin = time.process_time(), time.perf_counter()
        one_pass(read, lambda i, data: None)
        wall = time.perf_counter() - begin
        samples.append({"wallMs": wall * 1000, "cpuMs": (time.process_time() - cpu) * 1000})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    digests.append(digested_pass(read))
    return {"digests": digests, "samples": samples, "peakRssBytes": peak}


try:
    answer = main()
except ImportError as error:
    answer = {"absent": str(error)}
except Exception as error:
    answer = {"refused": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
