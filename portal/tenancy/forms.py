"""What a person fills in about themselves: signing in, the profile, passwords, codes."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

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


class CodeForm(forms.Form):
    """A code of the app, or a recovery code where the page takes one."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
        ),
        help_text="The six digits that your app shows now, or one of your recovery codes.",
    )


class FirstCodeForm(CodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "The six digits that the app shows now."
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class ForgottenForm(PasswordResetForm):
    """Django's own; addresses are called here as everywhere in the portal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail"


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("first_name", "last_name")


class NewPersonForm(forms.Form):
    """Name and password of somebody who was invited and has no account yet."""

    first_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html(),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if password := given.get("password"):
            names = {name: given.get(name, "") for name in ("first_name", "last_name")}
            try:
                password_validation.validate_password(password, User(email=self._email, **names))
            except ValidationError as error:
                self.add_error("password", error)
        return given


class PasswordAgainForm(forms.Form):
    """Who changes how an account is opened shows the password again; a wrong one counts as at the log-in."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        asked = self._request.user
        assert isinstance(asked, User)
        if authenticate(self._request, username=asked.email, password=password) != asked:
            raise ValidationError("This is not your password.")
        return password


class EmailForm(PasswordAgainForm):
    email = forms.EmailField(label="New e-mail", max_length=254)
    field_order = ("email", "password")

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if User.objects.filter(email=email).exists():
            raise ValidationError("An account with this address exists already.")
        return email
