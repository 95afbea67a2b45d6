"""The files of a host are found as the host itself finds them."""

from pathlib import Path

import pytest

from jober.errors import DefinitionError
from jober.takeover import Root
from tests.takeover.hosts import debian, write


def test_the_zone_of_a_host_is_where_its_file_points_to(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link, root = tmp_path / "etc/localtime", Root(str(tmp_path))
    assert root.timezone is None
    link.symlink_to("/usr/share/zoneinfo/Europe/Warsaw")
    write(tmp_path, "/etc/timezone", "Asia/Tokyo\n")
    assert root.timezone == "Europe/Warsaw"
    link.unlink()
    link.write_bytes(b"a copy")
    assert root.timezone == "Asia/Tokyo"
    write(tmp_path, "/etc/timezone", "Nowhere\n")
    assert root.timezone is None


def test_a_link_leads_within_the_disk(tmp_path: Path) -> None:
    root = Root(str(debian(tmp_path / "disk")))
    write(tmp_path / "disk", "/srv/tab", "of the disk\n")
    write(tmp_path, "tab", "of another\n")
    for name, target in {"a": "/srv/tab", "b": "../../../../../srv/tab", "c": "a"}.items():
        (tmp_path / "disk/etc/cron.d" / name).symlink_to(target)
        assert root.text(f"/etc/cron.d/{name}") == "of the disk\n"
    (tmp_path / "disk/etc/cron.d/loop").symlink_to("loop")
    assert not root.is_file("/etc/cron.d/loop")


def test_what_is_no_root_is_told() -> None:
    with pytest.raises(DefinitionError, match="it is no directory"):
        Root("/nowhere")
