"""What pages of the site link to outside of docs/ is in the site too: each such file as a page
that shows its text, a folder as a page of all its files. The changelog is a page as it stands."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
# Those that are shown as programs are; all else is shown as plain text.
LANGUAGES = {
    ".conf": "ini",
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".service": "ini",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_CHANGELOG = "changelog.md"
_FIGURES = "performance.md"


def on_config(config: MkDocsConfig) -> None:
    """The page of figures is written by `python -m benchmarks`; without it there is no place."""
    if not (ROOT / "docs" / _FIGURES).exists():
        for section in config.nav or []:
            for pages in section.values():
                pages[:] = [page for page in pages if _FIGURES not in page.values()]


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    files.append(File.generated(config, _CHANGELOG, content=changelog))
    texts = [
        (file.src_uri, file.content_string)
        for file in files.documentation_pages()
        if file.src_uri != _CHANGELOG
    ]
    paths = {path for uri, text in texts for path in _outside(uri, text)}
    paths |= {path for path in _outside("../CHANGELOG.md", changelog)}
    for path in sorted(paths):
        files.append(File.generated(config, _page_of(path), content=_shown(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """The links to what is outside lead to its page."""
    uri = page.file.src_uri
    if uri.startswith("source/"):
        return markdown
    written = "../CHANGELOG.md" if uri == _CHANGELOG else uri

    def led(link: re.Match[str]) -> str:
        path = _path(written, link[1])
        to = _within_docs(path) or _page_of(path)
        return f"]({posixpath.relpath(to, posixpath.dirname(uri) or '.')}{link[2] or ''})"

    return _LINK.sub(led, markdown)


def _path(uri: str, link: str) -> str:
    """Where a link of a page leads, from the root of the checkout."""
    return posixpath.normpath(posixpath.join("docs", posixpath.dirname(uri), link))


def _within_docs(path: str) -> str | None:
    if path == "CHANGELOG.md":
        return _CHANGELOG
    inside = path.removeprefix("docs/")
    return inside if inside != path else None


def _outside(uri: str, text: str) -> set[str]:
    found = {_path(uri, link[1]) for link in _LINK.finditer(text)}
    return {path for path in found if _within_docs(path) is None and (ROOT / path).exists()}


def _page_of(path: str) -> str:
    return f"source/{path}.md"


def _shown(path: str) -> str:
    where = ROOT / path
    if where.is_file():
        return f"# {path}\n\n{_fenced(where)}"
    parts = [f"# {path}\n"]
    for file in sorted(where.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            parts.append(f"## {file.name}\n\n{_fenced(file)}")
    return "\n\n".join(parts)


def _fenced(file: Path) -> str:
    return f"``````{LANGUAGES.get(file.suffix, 'text')}\n{file.read_text('utf-8')}\n``````\n"
