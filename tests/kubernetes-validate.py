"""Says of each manifest that is named what kubernetes-validate has against it: one JSON object, path to message or null."""

import json
import sys

import kubernetes_validate
import yaml


def verdict(path, version):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        for document in yaml.safe_load_all(text):
            if document is not None:
                kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    except Exception as error:  # noqa: BLE001: whatever it says is its verdict
        return str(getattr(error, "message", error)).splitlines()[0][:200]
    return None


version, *paths = sys.argv[1:]
print(json.dumps({path: verdict(path, version) for path in paths}))
