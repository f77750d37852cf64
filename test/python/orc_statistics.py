"""What pyorc reads in ORC files: python orc_statistics.py <lines.jsonl, each {"path": …, "columns": […]}; one line of JSON a
file. A process of its own: pyorc and pyarrow bring the same C++ library in different versions and do not share a process.
Only columns with values are asked for: pyorc crashes on statistics without bounds, as columns of nulls have them.
"""

import json
import sys

import pyorc


def describe(path, names):
    with open(path, "rb") as stream:
        reader = pyorc.Reader(stream)
        columns = {}
        for name in names:
            statistics = reader[reader.schema.fields[name].column_id].statistics
            columns[name] = {key: value for key, value in statistics.items() if isinstance(value, int | str)}
        return {"rows": len(reader), "read": sum(1 for _ in reader), "columns": columns}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        found = describe(asked["path"], asked["columns"])
    except Exception as error:  # told to whoever compares
        found = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(found))
