"""Amounts of memory and the like, as people say them. Pure."""


def size(number: float) -> str:
    """`512 B`, `3.2 KiB`, `180 MiB`.

    >>> size(512), size(3300), size(188743680)
    ('512 B', '3.2 KiB', '180 MiB')
    """
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        del units[0]
    unit = units[0]
    return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
