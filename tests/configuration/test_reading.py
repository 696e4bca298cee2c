import pytest

from integrations.configuration import reading
from integrations.configuration.problems import ConfigProblems


def read(text, **environment):
    return reading.read(text, environment)


def words(text, **environment):
    try:
        return [str(problem) for problem in read(text, **environment).problems]
    except ConfigProblems as error:
        return [str(problem) for problem in error.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('a: "${NAME}"', "Ada"),
        ("a: ${NAME}", "Ada"),
        ('a: "x${NAME}y${NAME}"', "xAdayAda"),
        ('a: "$${NAME}"', "${NAME}"),
        ('a: "$5 and $ and {}"', "$5 and $ and {}"),
        ("a: NO", "NO"),
        ("a: yes", "yes"),
        ("a: true", True),
        ("a: 2026-03-01", "2026-03-01"),
        ("a: 12", 12),
        ("a: 1.5", 1.5),
        ("a: null", None),
        ("a: ${NUMBER}", "12"),
    ],
)
def test_values(text, value):
    assert read(text, NAME="Ada", NUMBER="12").value == {"a": value}


def test_a_variable_in_a_variable_is_not_read():
    assert read('a: "${ONE}"', ONE="${TWO}").value == {"a": "${TWO}"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n  - b: '${MISSING}'", "line 2, a[0].b: the environment variable MISSING is not set."),
        ("a: 1\nb: 2\na: 3", "line 3, a: stands here twice. Keep one."),
        ("a: '${1}'", "line 1, a: has ${ without a name and }. Write $${ for the characters themselves."),
        ("a: '${NAME'", "line 1, a: has ${ without a name and }. Write $${ for the characters themselves."),
        ("[1]: 2", "line 1: has a key that is not text."),
        ("a: !!python/name:os.system x", "which means nothing here."),
        ("", "The file is empty."),
        ("a: [1", "line 1: This is not YAML, column"),
        ("a: 1\n---\nb: 2", "This is not YAML"),
        ("a: \x07", "This is not YAML"),
    ],
)
def test_problems_say_where(text, told):
    assert any(told in sentence for sentence in words(text, NAME="x")), words(text, NAME="x")


def test_text_that_is_no_yaml_is_not_shown():
    assert "pk_secret" not in " ".join(words("key: pk_secret: [oh"))


def test_aliases_of_aliases_do_not_fill_the_memory():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert any("holds too much" in sentence for sentence in words(text))


def test_a_value_that_holds_itself_is_refused():
    assert any("nested too deep" in sentence for sentence in words("a: &a [*a]"))
