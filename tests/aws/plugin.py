"""A plugin of pytest: every installation that a test starts is a deployed one.

KEYTURN_PACKAGE=FOLDER KEYTURN_CALLS=FILE python -m pytest -p tests.aws.plugin tests/cli …
"""

import embedded.stack
from tests.aws.deployed_stack import DeployedStack

embedded.stack.Stack = DeployedStack  # type: ignore[misc]
