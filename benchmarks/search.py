"""What lists and searches cost in a small and in a large installation: the reads must not grow.

    python -m benchmarks.search [USERS TOKENS]

Fills one table with 1,000 accounts and 5,000 tokens, another with 100,000 and 500,000 (or as given), then
asks both the same questions. Filling takes some minutes.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.capacity import Cost, measured
from benchmarks.installation import Installation, fresh_database, install
from chalicelib.core.access.account import AccountType, Owner, OwnerKind, User
from chalicelib.core.access.role import REGISTERED_USER, Grant
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import parse
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item, connection
from chalicelib.storage.items import (
    USERS,
    CounterItem,
    GrantItem,
    IndexEntryItem,
    NameItem,
    TokenItem,
    UserItem,
    entries_of,
)

BATCH, WRITERS = 25, 4
FIELDS, TRAITS, SORTABLE = ("login", "name", "group", "owner"), ("banned", "bot", "ownerless"), ("login", "name")
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "juniper")


def main() -> None:
    """Fill, ask, print."""
    users, tokens = (int(number) for number in sys.argv[1:3]) if len(sys.argv) > 2 else (100_000, 500_000)
    small = _costs(1_000, 5_000)
    large = _costs(users, tokens)
    table = Table("question", "results", "round trips, read units", "ms", "results", "round trips, read units", "ms")
    for question in small:
        table.add_row(question, *small[question], *large[question])
    console = Console(width=140)
    console.print(f"1,000 accounts with 5,000 tokens, then {users:,} with {tokens:,}")
    console.print(table)


def _costs(users: int, tokens: int) -> dict[str, tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        fill(installation, users, tokens)
        return dict(_ask(installation))


def _ask(installation: Installation) -> Iterator[tuple[str, tuple[str, str, str]]]:
    product = installation.keyturn
    caller = product.authentication.caller(installation.administrator.secret or "", Origin(0, "127.0.0.1"))
    questions = {
        "first page": ("", "", Window(0, 100)),
        "count": ("", "", Window(0, 0)),
        "page at offset 9,900": ("", "", Window(9_900, 100)),
        "first page by name": ("", "name:asc", Window(0, 100)),
        "login: ember-0*": ("login: ember-0*", "", Window(0, 100)),
        "name: {Fjord 05*}": ("name: {Fjord 05*}", "", Window(0, 100)),
        "text: heron-00": ("heron-00", "", Window(0, 100)),
        "is: bot": ("is: bot", "", Window(0, 100)),
        "is: banned and login: delta*": ("is: banned and login: delta*", "", Window(0, 100)),
        "is: ownerless": ("is: ownerless", "", Window(0, 100)),
    }
    for name, (query, order, window) in questions.items():
        search = parse(query, order, FIELDS, TRAITS, SORTABLE)
        yield name, _measure(lambda window=window, search=search: product.accounts.page(caller, window, search).total)
    yield (
        "tokens of one account",
        _measure(lambda: product.permanent_tokens.page(caller, "amber-000000", Window()).total),
    )


def _measure(ask: object) -> tuple[str, str, str]:
    assert callable(ask)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        with measured() as cost:
            found = ask()
        times.append(time.perf_counter() - began)
    return f"{found:,}", _shown(cost), f"{sorted(times)[2] * 1000:.0f}"


def _shown(cost: Cost) -> str:
    return f"{cost.trips}, {cost.read:g}"


def fill(installation: Installation, users: int, tokens: int) -> None:
    """Write the items as the product would, without its transactions."""
    items = itertools.chain(_users(installation, users), _tokens(installation, users, tokens))
    client = connection().client

    def write(batch: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": item.serialize()}} for item in batch]
        left = {Item.Meta.table_name: requests}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    batches = iter(lambda: list(itertools.islice(items, BATCH)), [])
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = iter(lambda: list(itertools.islice(batches, 40)), [])
        for some in track(writing, f"Filling with {users:,} accounts", total=(users * 5 + tokens) / BATCH / 40):
            list(pool.map(write, some))
    counts = {USERS: users, "USERS#BOT": users // 2, "USERS#OWNERLESS": users // 20, "USERS#BANNED": users // 10}
    for collection, members in counts.items():
        CounterItem(*keys.counter(collection, keys.SHARDS), members=members).save()  # one that nobody else uses


def _user(number: int, owner: Owner) -> User:
    word = WORDS[number % len(WORDS)]
    bot = number % 2 == 0
    return User(
        id=f"user{number:08d}",
        login=f"{word}-{number:06d}",
        name=f"{word.title()} {number:06d}",
        type=AccountType.BOT if bot else AccountType.USER,
        created=number,
        banned=number % 10 == 3,
        owner=owner if bot and number % 20 else None,
    )


def _users(installation: Installation, count: int) -> Iterator[Item]:
    owner = Owner(OwnerKind.USER, installation.administrator.owner.id)
    for number in range(count):
        user = _user(number, owner)
        yield UserItem.of(user)
        yield NameItem(*keys.login(user.login), holder_id=user.id)
        yield GrantItem.of(Grant(user.id, REGISTERED_USER))
        for collection, position in entries_of(user).items():
            yield IndexEntryItem.of(user.id, collection, position)


def _tokens(installation: Installation, users: int, count: int) -> Iterator[Item]:
    for number in range(count):
        yield TokenItem.of(
            replace(installation.token.token, id=new_id(), user_id=f"user{number % users:08d}", name=f"token {number}")
        )


if __name__ == "__main__":
    main()
