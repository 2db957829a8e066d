"""The files of a room's terminal: the examples to begin with, and what commands write. Bounded in number and size."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

EXAMPLES = Path(__file__).parent / "examples"
# the pages of the world outside that the notes apply from, and the example that each holds
PAGES = {"https://raw.githubusercontent.com/sixeyed/kiamol/master/ch02/pod.yaml": "pod.yaml",
         "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml": "metrics-server.yaml"}
MAX_FILES, MAX_SIZE = 100, 1024 * 1024


def examples() -> list[dict[str, str]]:
    """The manifests that the editor offers: name, title (the first comment line) and text, in order of file name."""
    found = []
    for path in sorted(EXAMPLES.glob("*.y*ml")):
        text = path.read_text()
        first, _, rest = text.partition("\n")
        title = first.removeprefix("#").strip() if first.startswith("#") else path.stem
        found.append({"name": path.name, "title": title, "yaml": rest if first.startswith("#") else text})
    return found


class Files:
    """A flat file system under the home directory, and the pages that can be read; paths are as typed."""

    def __init__(self) -> None:
        self._texts = {example["name"]: example["yaml"] for example in examples()}
        self._pages = {url: self._texts[name] for url, name in PAGES.items()}

    @staticmethod
    def _name(path: str) -> str:
        pure = PurePosixPath("/" + path.removeprefix("~/"))
        parts: list[str] = []
        for part in pure.parts[1:]:
            parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
        return "/".join(parts)

    def read(self, path: str) -> str:
        if path in self._pages:
            return self._pages[path]
        name = self._name(path)
        if name in ("dev/null",):
            return ""
        if name in self._texts:
            return self._texts[name]
        raise (IsADirectoryError if self._is_folder(name) else FileNotFoundError)(path)

    def write(self, path: str, text: str) -> None:
        """OSError when the room's share is used up."""
        name = self._name(path)
        if self._is_folder(name):
            raise IsADirectoryError(path)
        if len(text) > MAX_SIZE:
            raise OSError(f"{path}: file too large (limit {MAX_SIZE} characters)")
        if name not in self._texts and len(self._texts) >= MAX_FILES:
            raise OSError(f"{path}: too many files (limit {MAX_FILES})")
        self._texts[name] = text

    def exists(self, path: str) -> bool:
        name = self._name(path)
        return name in self._texts or self._is_folder(name)

    def listdir(self, path: str) -> list[str]:
        name = self._name(path)
        if not self._is_folder(name):
            raise NotADirectoryError(path) if name in self._texts else FileNotFoundError(path)
        prefix = f"{name}/" if name else ""
        return sorted({text[len(prefix):].split("/")[0] for text in self._texts if text.startswith(prefix)})

    def _is_folder(self, name: str) -> bool:
        return not name or any(text.startswith(f"{name}/") for text in self._texts)
