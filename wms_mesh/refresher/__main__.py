"""``python -m wms_mesh.refresher``: the refresher as the supervisor starts it, against the embedded stack."""

import sys

from wms_mesh.errors import MeshError
from wms_mesh.refresher.process import run
from wms_mesh.stack import Stack
from wms_mesh.transform import EMBEDDED

try:
    run(Stack.from_env(), EMBEDDED)
except MeshError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
