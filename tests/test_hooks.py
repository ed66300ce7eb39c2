"""The hooks for users' repositories, run by pre-commit itself: it clones, installs, and calls them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from llmcfg.cli.configs import NAMES
from llmcfg.cli.lock import ENDING

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SHIPPED = (
    ".pre-commit-hooks.yaml", "LICENSE", "README.md", "audit", "generated", "llmcfg", "pyproject.toml",
)  # fmt: skip

VALID = "model: m\nvllm: {engine: {max_num_seqs: 8}}\n"
WRONG = "model: m\nvllm: {engine: {max_num_seq: 8}}\n"


class TestPatterns:
    @pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
    @pytest.mark.parametrize("name", NAMES)
    def test_they_find_what_a_folder_is_searched_for(self, hook: dict[str, str], name: str) -> None:
        for path in (name, f"conf/{name}", f"chat.{name}", f"conf/my chat.{name}"):
            assert re.search(hook["files"], path)

    @pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
    @pytest.mark.parametrize(
        "path",
        [
            f"llmcfg{ENDING}",
            f"a/chat.llmcfg{ENDING}",
            "llmcfg.schema.json",
            "my-llmcfg.yaml",
            "llmcfg.yaml.bak",
        ],
    )
    def test_they_find_nothing_else(self, hook: dict[str, str], path: str) -> None:
        assert not re.search(hook["files"], path)


class Repository(NamedTuple):
    """A user's repository."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def git(self, *words: str) -> str:
        done = self.run("git", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit_all(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "m")
        return self.git("rev-parse", "HEAD")

    def hook(self, name: str) -> tuple[int, str]:
        """Run one hook over all files that git knows."""
        self.git("add", "--all")
        done = self.run(sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never", name)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a user without settings; one home of pre-commit installs the hooks once."""
    people = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTHON"))}
    home = str(tmp_path_factory.mktemp("home"))
    return {**inherited, **people, "PRE_COMMIT_HOME": home, "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.fixture(scope="module")
def source(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Make a repository of what this checkout ships; return where it is, and its revision."""
    folder = tmp_path_factory.mktemp("llmcfg")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    repository = Repository(folder, environment)
    repository.git("init", "--quiet")
    return folder.as_uri(), repository.commit_all()


@pytest.fixture
def repository(source: tuple[str, str], environment: dict[str, str], tmp_path: Path) -> Repository:
    made = Repository(tmp_path, environment)
    made.git("init", "--quiet")
    url, revision = source
    hooks = [{"id": hook["id"]} for hook in HOOKS]
    config = {"repos": [{"repo": url, "rev": revision, "hooks": hooks}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(json.dumps(config))
    return made


@pytest.mark.slow
class TestPreCommit:
    def test_valid_configs_pass(self, repository: Repository) -> None:
        (repository.folder / "llmcfg.yaml").write_text(VALID)
        (repository.folder / "a b.llmcfg.json").write_text('{"model": "m", "pytorch": {}}')
        (repository.folder / "other.yaml").write_text("not: a config\n")
        status, said = repository.hook("llmcfg-validate")
        assert (status, "Passed" in said) == (0, True), said

    def test_a_broken_config_fails_with_its_diagnostics(self, repository: Repository) -> None:
        (repository.folder / "conf").mkdir()
        (repository.folder / "conf/chat.llmcfg.yml").write_text(WRONG)
        (repository.folder / "llmcfg.yaml").write_text(VALID)
        status, said = repository.hook("llmcfg-validate")
        assert status == 1
        assert "conf/chat.llmcfg.yml:2:17: error[L101] unknown key 'max_num_seq' in engine" in said
        assert "llmcfg.yaml:" not in said

    def test_a_lock_is_written_then_accepted_then_renewed(self, repository: Repository) -> None:
        config, lock = repository.folder / "llmcfg.yaml", repository.folder / f"llmcfg{ENDING}"
        config.write_text(VALID)
        status, said = repository.hook("llmcfg-lock")
        assert (status, f"llmcfg{ENDING} written" in said) == (1, True), said
        status, said = repository.hook("llmcfg-lock")
        assert (status, "Passed" in said) == (0, True), said
        config.write_text(VALID.replace("8", "9"))
        status, said = repository.hook("llmcfg-lock")
        assert (status, "files were modified by this hook" in said) == (1, True), said
        assert json.loads(lock.read_text())["compiled"][0]["native"]["EngineArgs"]["max_num_seqs"] == 9
        assert repository.hook("llmcfg-lock")[0] == 0

    def test_a_broken_config_is_not_locked(self, repository: Repository) -> None:
        (repository.folder / "llmcfg.yaml").write_text(WRONG)
        status, said = repository.hook("llmcfg-lock")
        assert (status, "error[L101]" in said) == (1, True), said
        assert not (repository.folder / f"llmcfg{ENDING}").exists()

    def test_without_configs_there_is_nothing_to_do(self, repository: Repository) -> None:
        for hook in HOOKS:
            status, said = repository.hook(hook["id"])
            assert (status, "no files to check" in said) == (0, True), said
