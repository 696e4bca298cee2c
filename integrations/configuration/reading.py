"""YAML text to plain values: safe, with lines, no key twice, and `${VAR}` from the environment.

Only true and false are booleans and dates stay text (YAML 1.2), so that the country NO is not false.
"""

import re
from collections.abc import Mapping

import yaml

from integrations.configuration.problems import ConfigProblems, Document, Problem

MAX_DEPTH = 40
MAX_VALUES = 100_000  # an alias of an alias of an alias … must not fill the memory
_VARIABLE = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)?(\})?")
_TAG = "tag:yaml.org,2002:"


def read(text: str, environment: Mapping[str, str], *, source: str = "") -> Document:
    """The document of a YAML text. Raises ConfigProblems where it is none; other problems it carries along."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise ConfigProblems([Problem("", "The file is empty.")], source)
        reader = _Reader(loader, environment)
        value = reader.value(root, "", 0)
    except yaml.YAMLError as error:
        raise ConfigProblems([_yaml_problem(error)], source) from None
    return Document(source, value, reader.lines, tuple(reader.problems))


def _yaml_problem(error: yaml.YAMLError) -> Problem:
    """Where and what, without the line itself: it may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    at = f", column {mark.column + 1}" if mark else ""
    return Problem("", f"This is not YAML{at}: {words}.", mark.line + 1 if mark else None)


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, environment: Mapping[str, str]) -> None:
        self.loader = loader
        self.environment = environment
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def value(self, node: yaml.Node, path: str, depth: int) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            raise ConfigProblems(
                [self._problem(node, path, "is nested too deep, or the file holds too much.")]
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(part, f"{path}[{place}]", depth + 1) for place, part in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or not key:
                self._refuse(key_node, path, "has a key that is not text.")
                continue
            place = f"{path}.{key}" if path else key
            self.lines[place] = key_node.start_mark.line + 1
            if key in found:
                self._refuse(key_node, place, "stands here twice. Keep one.")
                continue
            found[key] = self.value(value_node, place, depth + 1)
        return found

    def _scalar(self, node: yaml.Node, path: str) -> object:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind in ("int", "float", "null"):
            try:
                return self.loader.construct_object(node)
            except ValueError:
                return self._refuse(node, path, "is not a number.")
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind not in ("str", "bool", "timestamp", "value", "merge"):
            return self._refuse(node, path, f"has the tag {node.tag}, which means nothing here.")
        return _VARIABLE.sub(lambda match: self._variable(match, node, path), text)

    def _variable(self, match: re.Match[str], node: yaml.Node, path: str) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        name = match[1]
        if not name or not match[2]:
            self._refuse(node, path, "has ${ without a name and }. Write $${ for the characters themselves.")
            return ""
        if name not in self.environment:
            self._refuse(node, path, f"the environment variable {name} is not set.")
            return ""
        return self.environment[name]

    def _refuse(self, node: yaml.Node, path: str, words: str) -> object:
        """Note the problem; the value that stands for what could not be read."""
        self.problems.append(self._problem(node, path, words))
        return None

    def _problem(self, node: yaml.Node, path: str, words: str) -> Problem:
        return Problem(path, words, node.start_mark.line + 1)
