"""The forms of CSV that are understood. A form says what each column of a header means.

A new one (an export of another system) is a module with a `Form` and a line in FORMS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loyalty.importing import own_columns
from loyalty.importing.columns import Column, ColumnProblem
from loyalty.importing.csv_files import UnreadableFile


@dataclass(frozen=True)
class Form:
    """`recognises` looks at a header; `columns` reads it, and raises ColumnProblem for a bad one."""

    name: str
    recognises: Callable[[Sequence[str]], bool]
    columns: Callable[[Sequence[str], bool], list[Column]]


# The first that recognises a header takes it. The portal's own form stands last and takes any.
FORMS: list[Form] = [
    Form("portal", own_columns.recognises, own_columns.columns),
]


def detect(header: Sequence[str], *, ignore_unknown: bool) -> tuple[Form, list[Column]]:
    """The form of this header and what its columns mean."""
    form = next(form for form in FORMS if form.recognises(header))
    try:
        return form, form.columns(header, ignore_unknown)
    except ColumnProblem as error:
        raise UnreadableFile(str(error)) from error
