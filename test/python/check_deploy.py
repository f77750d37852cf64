"""The files in deploy/k8s against the schemas of Kubernetes, strictly, and of KEDA's resources.

Ends with `N passed, N failed`. A file that is changed to be wrong has to be refused, or the check itself fails.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = "1.37"
KEDA = json.loads(Path(__file__).with_name("keda-schema.json").read_text())


def problem(document: dict[str, Any]) -> str | None:
    """What is wrong with a resource; None when nothing is."""
    if document["apiVersion"].startswith("keda.sh/"):
        try:
            jsonschema.validate(document, KEDA)
        except jsonschema.ValidationError as error:
            return error.message
        return None
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return str(error)
    return None


def broken(document: dict[str, Any]) -> dict[str, Any]:
    """The same with a field that no schema has."""
    wrong = copy.deepcopy(document)
    wrong["spec"]["replicass"] = 1
    return wrong


def main() -> int:
    passed = failed = 0
    for path in sorted((ROOT / "deploy" / "k8s").glob("*/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if "apiVersion" not in document or document["kind"] == "Kustomization":
                continue
            name = f"{path.relative_to(ROOT)}: {document['kind']}"
            for what, wrong in ((name, problem(document)), (f"{name}, broken", None if problem(broken(document)) else "accepted")):
                if wrong is None:
                    passed += 1
                else:
                    failed += 1
                    print(f"FAIL {what}: {wrong}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
