"""The engines of Python, one in a process of its own, as worker.mjs runs those of JavaScript.

    python engines.py ENGINE '{"measure": "read", "path": ..., "passes": 3, "spendMs": 400}'   prints one JSON object

A warm-up pass, the passes that count, then the checksum of the last one's result.
"""

import gc
import json
import os
import resource
import sys
import time

ENGINE, TASK = sys.argv[1], json.loads(sys.argv[2])

# One thread each, before the libraries are loaded.
os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from checksum import checksum  # noqa: E402


def pyarrow_read():
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    return (lambda: pq.read_table(TASK["path"], use_threads=False)), checksum


def pyarrow_orc_read():
    import pyarrow as pa
    import pyarrow.orc as orc

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    return (lambda: orc.ORCFile(TASK["path"]).read()), checksum


def fastavro_read():
    import fastavro
    import pyarrow as pa

    def read():
        with open(TASK["path"], "rb") as stream:
            return list(fastavro.reader(stream))

    return read, (lambda rows: checksum(pa.Table.from_pylist(rows)))


def polars_read():
    import polars as pl

    read = pl.read_avro if TASK["path"].endswith(".avro") else pl.read_parquet
    return (lambda: read(TASK["path"])), (lambda frame: checksum(frame.to_arrow()))


def duckdb_read():
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 1")
    query = f"select * from read_parquet('{TASK['path']}')"
    return (lambda: connection.sql(query).to_arrow_table()), checksum


def tensorflow_read():
    """tf.data with parse_example on batches, one thread."""
    import numpy as np
    import pyarrow as pa
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    dtypes = {"int64": tf.int64, "float32": tf.float32, "bytes": tf.string}
    declared = TASK["schema"]["features"]
    features = {name: tf.io.FixedLenFeature(f["shape"], dtypes[f["dtype"]]) for name, f in declared.items()}
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1

    def read():
        records = tf.data.TFRecordDataset(TASK["path"]).batch(TASK["batchRows"])
        parsed = records.map(lambda batch: tf.io.parse_example(batch, features)).with_options(options)
        return list(parsed)

    def to_table(batches):
        columns = {}
        for name, f in declared.items():
            values = np.concatenate([batch[name].numpy() for batch in batches])
            if f["dtype"] == "bytes":
                columns[name] = pa.array(values.tolist(), pa.binary())
            elif values.ndim == 1:
                columns[name] = pa.array(values)
            else:
                columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        return checksum(pa.table(columns))

    return read, to_table


def pyarrow_shuffle():
    """What an expert writes: windows of 65,536 rows, each permuted once, cut into batches."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    window_rows, batch_rows = TASK["windowRows"], TASK["batchRows"]

    def batches():
        random = np.random.default_rng(TASK["seed"])
        held, rows = [], 0
        for part in pq.ParquetFile(TASK["path"]).iter_batches(25_000, use_threads=False):
            held.append(part)
            rows += part.num_rows
            if rows >= window_rows:
                window = pa.Table.from_batches(held).combine_chunks()
                held, rows = [], 0
                shuffled = window.take(random.permutation(window.num_rows))
                for start in range(0, shuffled.num_rows, batch_rows):
                    yield shuffled.slice(start, batch_rows)
        if held:
            window = pa.Table.from_batches(held).combine_chunks()
            shuffled = window.take(random.permutation(window.num_rows))
            for start in range(0, shuffled.num_rows, batch_rows):
                yield shuffled.slice(start, batch_rows)

    def read(check):
        if check:
            return pa.concat_tables(list(batches()))
        return sum(batch.num_rows for batch in batches())

    return read, checksum


engines = {
    ("pyarrow", "read"): pyarrow_read,
    ("pyarrow-orc", "read"): pyarrow_orc_read,
    ("fastavro", "read"): fastavro_read,
    ("polars", "read"): polars_read,
    ("duckdb", "read"): duckdb_read,
    ("tensorflow", "read"): tensorflow_read,
    ("pyarrow", "shuffle"): pyarrow_shuffle,
}


def timed(body):
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    result = body()
    return result, {"wallMs": (time.perf_counter() - wall) * 1e3, "cpuMs": (time.process_time() - cpu) * 1e3}


def main():
    body, check = engines[ENGINE, TASK["measure"]]()
    shuffles = TASK["measure"] == "shuffle"
    measured = (lambda: body(False)) if shuffles else body
    warm_up = timed(measured)[1]
    samples, spent, result = [], 0.0, None
    while not samples or (len(samples) < TASK["passes"] and spent < TASK["spendMs"]):
        result = None
        result, sample = timed(measured)
        samples.append(sample)
        spent += sample["wallMs"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = check(body(True) if shuffles else result)
    return {
        "checksum": {k: found[k] for k in ("rows", "valid", "sum")},
        "warmUp": warm_up,
        "samples": samples,
        "peakRssBytes": peak,
    }


try:
    answer = main()
except ImportError as error:
    answer = {"absent": f"{error}"}
print(json.dumps(answer))
