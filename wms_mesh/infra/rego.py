"""Judge manifests by Rego policies, in the environment `infra`.

Microsoft's Rego engine, 8 MB as a wheel, in place of conftest, whose build from source takes minutes; the policies run
in both. ``python -m wms_mesh.infra.rego POLICY...`` reads a JSON list of manifests and prints one of what is denied.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

QUERY = "data.main.deny"


def main(policies: list[str]) -> int:
    """Read a JSON list of documents, print the sentences; returns 0 also when there are some."""
    from regopy import Interpreter  # only that environment has it

    interpreter = Interpreter()
    for policy in policies:
        interpreter.add_module(policy, Path(policy).read_text(encoding="utf-8"))
    interpreter.set_input([{"path": "", "contents": document} for document in json.load(sys.stdin)])
    answer = json.loads(str(interpreter.query(QUERY)))
    print(json.dumps(sorted(answer["expressions"][0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
