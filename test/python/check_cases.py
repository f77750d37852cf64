"""What the checks of written files have in common: pairs of a file and an Arrow IPC stream of its truth, one after the other."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.ipc as ipc


def read_truth(path):
    with ipc.open_stream(path.with_suffix(".arrows")) as stream:
        truth = stream.read_all()
    truth.validate(full=True)
    return truth


def check_folder(folder, extension, checks_of):
    passed = failed = 0
    paths = sorted(folder.glob(f"*.{extension}"))
    checks = checks_of(paths) if paths else {}
    for path in paths:
        truth = read_truth(path)
        for name, check in checks.items():
            try:
                problems = list(check(path, truth))
            except Exception as error:  # a reader that refuses the file is a failure like any other
                problems = [f"{type(error).__name__}: {error}"]
            for problem in problems[:3]:
                print(f"{path.stem} [{name}]: {problem}")
            if problems:
                failed += 1
            else:
                passed += 1
    return passed, failed


def run(extension, checks_of):
    """Checks the folder that was named, or else what write_<extension>_cases.mjs writes, and exits.

    `checks_of(paths)` gives the checks by name: each is called with the path and the table of its truth, and yields problems.
    """
    if len(sys.argv) > 1:
        passed, failed = check_folder(Path(sys.argv[1]), extension, checks_of)
    else:
        with tempfile.TemporaryDirectory() as folder:
            script = Path(__file__).with_name(f"write_{extension}_cases.mjs")
            subprocess.run(["node", script, folder], check=True)
            passed, failed = check_folder(Path(folder), extension, checks_of)
    if passed == 0:
        print("no files to check")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 else 1)
