"""Elements of SVG, with all text escaped."""

from markupsafe import Markup, escape

Value = str | int | float | None


def element(name: str, *children: Markup | str, **attributes: Value) -> Markup:
    """An element; what is None is left out, `class_` is `class`, and `_` is `-` in names."""
    told = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _text(value))
        for key, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup("<{}{}/>").format(Markup(name), told)
    inner = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), told, inner)


def svg(
    width: float, height: float, title: str, *children: Markup, class_: str, leads: bool = False
) -> Markup:
    """A picture of this size in its own units, as wide as its place; `title` says what it shows.
    One that `leads` somewhere is no single picture to those who cannot see it."""
    return element(
        "svg",
        element("title", title),
        *children,
        class_=f"plot {class_}",
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        role="group" if leads else "img",
        aria_label=title,
    )


def _text(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
