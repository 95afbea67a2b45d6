"""What people see: a page a file, each with a router of its own; `routes` puts them together."""
