"""Arrow values in plain Python, for comparing what different readers give."""

import pyarrow as pa

UNIT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def storage(array, width):
    """The integers behind a temporal array; 0 under nulls."""
    return array.view(pa.int32() if width == 32 else pa.int64()).to_pylist()


def lists(array, offsets, items):
    offsets = offsets.to_pylist()
    return [
        items[offsets[i] : offsets[i + 1]] if valid else None
        for i, valid in enumerate(array.is_valid().to_pylist())
    ]


def plain(array, times="ns"):
    """Values as Python compares and prints them: times (of day) in nanoseconds or as "stored", floats by repr, decimals as
    text."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in plain(chunk, times)]
    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode(), times)
    if pa.types.is_map(kind):
        entries = list(map(list, zip(plain(array.keys, times), plain(array.items, times))))
        return lists(array, array.offsets, entries)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return lists(array, array.offsets, plain(array.values, times))
    if pa.types.is_fixed_size_list(kind):
        size, items = kind.list_size, plain(array.values, times)
        start = array.offset
        return [
            items[(start + i) * size : (start + i + 1) * size] if valid else None
            for i, valid in enumerate(array.is_valid().to_pylist())
        ]
    if pa.types.is_struct(kind):
        fields = [plain(array.field(i), times) for i in range(kind.num_fields)]
        return [
            [field[i] for field in fields] if valid else None
            for i, valid in enumerate(array.is_valid().to_pylist())
        ]
    if pa.types.is_duration(kind):
        # In its own unit: readers without the type see the bare integers.
        return storage(array, 64)
    if pa.types.is_time(kind) and times == "stored":
        return storage(array, kind.bit_width)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        unit = UNIT[kind.unit]
        return [None if v is None else v * unit for v in storage(array, kind.bit_width)]
    if pa.types.is_date(kind):
        days = 1 if kind.bit_width == 32 else 86_400_000
        return [None if v is None else v // days for v in storage(array, kind.bit_width)]
    if pa.types.is_floating(kind):
        return [None if v is None else repr(float(v)) for v in array.to_pylist()]
    if pa.types.is_decimal(kind):
        return [None if v is None else f"{v:f}" for v in array.to_pylist()]
    return array.to_pylist()


def first_difference(want, got):
    if len(want) != len(got):
        return f"{len(got)} rows instead of {len(want)}"
    for i, (a, b) in enumerate(zip(want, got)):
        if a != b:
            return f"row {i}: {str(b)[:120]} instead of {str(a)[:120]}"
    return None
