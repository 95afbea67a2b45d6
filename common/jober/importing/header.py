"""What stands at the top of every imported file."""

REVIEW = ("Look it over; then: jober apply FILE --dry-run, and jober apply FILE.",)
NO_ROLES = (
    "- Any one host with the role 'default' runs a job. For others write",
    '  roles = ["db"] in a job or in the defaults, or import with --roles db.',
)
USER_NEEDS = "- A job with `user` or `group` needs an agent that is root, or that user itself."
ZONE_UNKNOWN = (
    "- The zone of the times is not known, so UTC stands below: name it there, or with",
    "  --timezone.",
)
ZONE_WARNING = (
    "the time zone of this machine cannot be told, so times without one are read in UTC; "
    "name it with --timezone"
)
