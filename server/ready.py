"""Whether the table answers: by one strongly consistent read, with a short time limit and no second try."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import connection

if TYPE_CHECKING:
    from chalicelib.storage.engine.table import TableAddress

SECONDS = 1


class Readiness:
    """For one table. Whoever asks while somebody else does gets the same answer."""

    def __init__(self, table: TableAddress) -> None:
        self._table = table
        self._thread = ThreadPoolExecutor(1, "ready")  # beside the pool, which may be busy
        self._asking: asyncio.Future[bool] | None = None

    async def is_there(self) -> bool:
        """Whether it answers now."""
        if self._asking is None:
            self._asking = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, _: object) -> None:
        self._asking = None

    def _ask(self) -> bool:
        pk, sk = keys.EXPIRY_SWEEP  # any key would do
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        try:
            self._client.get_item(TableName=self._table.name, Key=key, ConsistentRead=True, ProjectionExpression="pk")
        except (BotoCoreError, ClientError):
            return False
        return True

    @functools.cached_property
    def _client(self) -> Any:
        """One of its own, for its own time limits."""
        config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
        region, endpoint = self._table.region, self._table.endpoint
        return connection().session.create_client("dynamodb", region, endpoint_url=endpoint, config=config)
