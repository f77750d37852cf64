"""The ORC and Avro files of the side-by-side benchmarks, made by pyarrow and fastavro of the tables of make.py."""

import pyarrow as pa
import pyarrow.orc as orc

orc_files = {"lineitem-zlib": "lineitem", "criteo-snappy": "criteo", "features-zstd": "features"}
avro_files = {"criteo-null": "criteo", "criteo-snappy": "criteo", "features-deflate": "features"}


def write_orc(table, path, compression):
    """pyarrow's defaults: stripes of 64 MiB, dictionaries only where they are asked for, as for repeated text here."""
    orc.write_table(table, str(path), compression=compression, dictionary_key_size_threshold=0.8)


def avro_type(kind):
    if pa.types.is_string(kind):
        return "string"
    return {pa.int32(): "int", pa.int64(): "long", pa.float32(): "float", pa.float64(): "double"}[kind]


def write_avro(table, path, codec):
    """fastavro's defaults: blocks of 16,000 bytes."""
    import fastavro

    fields = [{"name": f.name, "type": ["null", avro_type(f.type)] if table[f.name].null_count else avro_type(f.type)} for f in table.schema]
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    batches = table.to_batches(max_chunksize=10_000)
    records = (record for batch in batches for record in batch.to_pylist())
    with open(path, "wb") as stream:
        fastavro.writer(stream, schema, records, codec=codec)
