"""What pages show: each a frozen value, made by a pure function of what was read."""
