"""What is asked before a run is done again: how much of it, and why."""

from typing import Any

from django import forms

FAILURES, WHOLE, AGAIN = "failures", "whole", "again"
REASONS = (
    "The data was corrected in the shop",
    "The mapping was changed",
    "The connection was mended",
    "A customer asked",
    "To be sure",
)


class CauseRerunForm(forms.Form):
    """Why the open failures of one cause are sent again."""

    reason = forms.CharField(
        max_length=300,
        label="Why?",
        help_text="Kept with the run, so that others can see later what it was for.",
        error_messages={"required": "Say in a few words why it is done again."},
        widget=forms.TextInput(attrs={"list": "rerun-reasons", "autocomplete": "off"}),
    )
    reasons = REASONS


class RerunForm(CauseRerunForm):
    """`what` is failures, whole or again; where it is missing, `failed_only` of older addresses decides."""

    WHAT = (
        (
            FAILURES,
            "Only failures",
            "What did not arrive and is not mended since, with the data as it is now.",
        ),
        (WHOLE, "The whole job", "Everybody whom it covered is compared again; only what differs is sent."),
        (
            AGAIN,
            "Send all again",
            "Everybody whom it covered is sent again, changed or not. It costs many calls.",
        ),
    )

    what = forms.ChoiceField(
        choices=[(value, label) for value, label, _ in WHAT], required=False, label="How much"
    )

    @property
    def is_failed_only(self) -> bool:
        return self.chosen == FAILURES

    @property
    def is_forced(self) -> bool:
        return self.chosen == AGAIN

    @property
    def chosen(self) -> str:
        given = self.data if self.is_bound else self.initial
        return chosen_of(given)

    @property
    def choices(self) -> list[dict[str, Any]]:
        return [
            {"value": value, "label": label, "help": text, "is_chosen": value == self.chosen}
            for value, label, text in self.WHAT
        ]


def chosen_of(given: Any) -> str:
    """What an address or a form asks for; only failures unless it says otherwise."""
    what = given.get("what", "")
    if what in (FAILURES, WHOLE, AGAIN):
        return str(what)
    return WHOLE if given.get("failed_only") == "0" else FAILURES
