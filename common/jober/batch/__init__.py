"""A batch: commands that are run once, each after those that it waits for, to the end of all.

`item` reads and checks the list, `file` finds it in a file, `plan` decides what may begin and what
cannot any more, `report` tells what came of each. All of it is pure but for the file.
"""

from jober.batch.file import read_batch
from jober.batch.item import Item, read_items
from jober.batch.plan import hopeless, ready
from jober.batch.report import COLUMNS, Row, table

__all__ = [
    "COLUMNS",
    "Item",
    "Row",
    "hopeless",
    "read_batch",
    "read_items",
    "ready",
    "table",
]
