"""Names on the hub: told apart from paths, fetched without code or pickles, found again without a network."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors
from tests.parity.families.tiny import write_tiny

from redraft.engine import hub, resolve_model
from redraft.errors import CheckpointError, ConfigError, DependencyError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("model", "is_name"),
    [
        ("GSAI-ML/LLaDA-8B-Instruct", True),
        ("a/b", True),
        ("a/b@main", True),
        ("a/b@0123abc", True),
        ("Org_1/name.v2-x", True),
        ("nano", False),
        ("./a/b", False),
        ("../a", False),
        ("/a/b", False),
        ("~/a", False),
        ("a/b/c", False),
        ("a/..", False),
        ("a/b..c", False),
        ("a\\b", False),
        ("a/b\0", False),
        ("a/b\n", False),
        ("a b/c", False),
        ("datasets//x", False),
        ("a/b@../x", False),
        ("https://x/y", False),
        ("a/" + "b" * 200, False),
        ("é/b", False),
    ],
)
def test_names_and_paths(model: str, is_name: bool) -> None:
    assert hub.is_hub_name(model) == is_name


def test_a_folder_goes_before_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "config.json").write_text("{}")
    assert resolve_model("a/b") == Path("a/b")
    with pytest.raises(ConfigError, match="no model 'nanno'"):
        resolve_model("nanno")
    with pytest.raises(ConfigError, match=r"no config\.json"):
        resolve_model("./nowhere")


def test_only_weights_and_small_files_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot(repository: str, **options: Any) -> str:
        asked.append((repository, options))
        (tmp_path / "config.json").write_text("{}")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert resolve_model("a/b@v1") == tmp_path
    ((repository, options),) = asked
    assert (repository, options["revision"]) == ("a/b", "v1")
    assert options["ignore_patterns"] == ["*/*"]
    assert all(pattern.endswith((".json", ".jinja", ".txt", ".safetensors")) for pattern in options["allow_patterns"])
    (tmp_path / "config.json").unlink()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        resolve_model("a/b")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (errors.GatedRepoError, "gated"),
        (errors.RepositoryNotFoundError, "there is no model a/b"),
        (errors.RevisionNotFoundError, "no revision 'v1'"),
        (errors.HFValidationError, "no name"),
        (errors.LocalEntryNotFoundError, "can't fetch"),
        (errors.OfflineModeIsEnabled, "can't fetch"),
        (OSError, "can't fetch"),
        (RuntimeError, "can't fetch"),
    ],
)
def test_whatever_goes_wrong_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception], words: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise kind.__new__(kind, "many\n\nlines " * 99)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(ConfigError, match=words) as caught:
        resolve_model("a/b@v1")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DependencyError, match=r"redraft\[hub\]"):
        resolve_model("a/b")


# -- the package itself, against a hub of our own ---------------------------------------------------------------------


class Hub:
    """A hub with one repository, on this machine; it remembers what was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append(path)
                name = path.removeprefix(f"/o/n/resolve/{COMMIT}/")
                if path.startswith("/api/models/o/n/tree/"):
                    listed = [
                        {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                        for name, data in files.items()
                    ]
                    self.answer(json.dumps(listed).encode())
                elif path.startswith("/api/models/o/n"):
                    siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
                    self.answer(json.dumps({"id": "o/n", "sha": COMMIT, "siblings": siblings}).encode())
                elif name in files:
                    self.answer(files[name], {"ETag": hashlib.sha1(files[name]).hexdigest(), "X-Repo-Commit": COMMIT})
                else:
                    self.answer(b"{}", {"X-Error-Code": "RepoNotFound"}, status=404)

            do_HEAD = do_GET

            def answer(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Hub]:
    folder = write_tiny(tmp_path / "published", "sdar")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files |= {
        "modeling_evil.py": b"raise SystemExit(3)",
        "pytorch_model.bin": b"\x80\x04K\x01.",
        "original/model.safetensors": b"\0" * 9,
        "original/config.json": b"{}",
        "README.md": b"# n",
    }
    hub_here = Hub(files)
    yield hub_here
    hub_here.close()


@pytest.mark.slow
def test_inspecting_and_fetching_from_a_hub(own_hub: Hub, tmp_path: Path) -> None:
    port = own_hub.server.server_address[1]
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_XET": "1",
    }

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], env=environment | more, capture_output=True, text=True, timeout=100, check=False
        )

    # Looking at it fetches no weights, and still tells their size.
    ran = run("-m", "redraft", "models", "inspect", "o/n", "--json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["family"], found["block_length"], found["is_fetched"]) == ("sdar", 4, False)
    assert found["size_bytes"] > 1000
    assert found["memory_bytes"]["float32"] > 2 * found["memory_bytes"]["int8"]
    assert not any(name.endswith(".safetensors") for name in own_hub.asked)
    # Fetching takes the weights, and neither code nor pickles nor anything in folders.
    program = "import sys; from redraft.engine import resolve_model; print(resolve_model(sys.argv[1]))"
    ran = run("-c", program, "o/n")
    assert ran.returncode == 0, ran.stderr
    names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(os.listdir(ran.stdout.strip())) == names
    assert not any(name.endswith((".py", ".bin")) or "original" in name for name in own_hub.asked)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.suffix in (".py", ".bin")]
    # What is there is there without the hub, links into the cache included.
    ran = run("-m", "redraft", "models", "inspect", "o/n", "--json", HF_HUB_OFFLINE="1")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["num_parameters"] > 1000
    program = "import pathlib, sys, redraft.text; redraft.text.PublishedTokenizer.load(pathlib.Path(sys.argv[1]))"
    ran = run("-c", program, json.loads(ran.stdout)["folder"])
    assert ran.returncode == 0, ran.stderr
    ran = run("-m", "redraft", "models", "inspect", "o/other")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("redraft: there is no model o/other")
    assert ran.stderr.count("\n") == 1
