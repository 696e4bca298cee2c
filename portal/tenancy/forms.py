"""Signing in by e-mail."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from portal.tenancy.models import User


class LogInForm(AuthenticationForm):
    """The standard form, with an e-mail address for a name and words that say what to do."""

    error_messages = {
        "invalid_login": "This e-mail address and password do not fit together. "
        "Check both, or reset the password.",
        "inactive": "This account is switched off. Ask the person who invited you.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["username"]
        name.label = "E-mail"
        name.widget.input_type = "email"
        name.widget.attrs |= {"autocomplete": "email", "inputmode": "email", "placeholder": "you@example.com"}

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()

    def confirm_login_allowed(self, user: User) -> None:
        if not user.is_active:
            raise ValidationError(self.error_messages["inactive"], code="inactive")
