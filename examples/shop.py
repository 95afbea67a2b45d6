"""What the jobs of workflow.toml run: each returns what the next one takes."""


def orders() -> list[dict[str, object]]:
    """What was ordered: of each thing how many."""
    return [{"thing": "tea", "count": 3}, {"thing": "cup", "count": 2}]


def prices() -> dict[str, float]:
    """What each thing costs."""
    return {"tea": 4.5, "cup": 5.0}


def total(orders: list[dict[str, object]], prices: dict[str, float]) -> float:
    """What has to be paid for the orders."""
    return sum(prices[str(order["thing"])] * int(str(order["count"])) for order in orders)
