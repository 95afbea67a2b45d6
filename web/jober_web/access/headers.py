"""What each answer says to browsers: load nothing from elsewhere, run no script but ours, show us
in no frame, guess no types, tell no other site where one was."""

from starlette.datastructures import MutableHeaders

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TWO_YEARS = "max-age=63072000"


def content_policy(form_targets: tuple[str, ...] = ()) -> str:
    """The Content-Security-Policy; forms may also lead to these origins."""
    forms = " ".join((POLICY["form-action"], *form_targets))
    return "; ".join(f"{name} {value}" for name, value in {**POLICY, "form-action": forms}.items())


def secure(headers: MutableHeaders, encrypted: bool) -> None:
    """Add to an answer what it does not say otherwise itself. What is not said to be kept is not
    kept: it may be for one user alone."""
    headers.setdefault("Content-Security-Policy", content_policy())
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if encrypted:
        headers.setdefault("Strict-Transport-Security", _TWO_YEARS)
