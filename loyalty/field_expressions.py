"""The expressions that the catalogue of fields is made of. Each yields null where nothing is known."""

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models import Field as Column
from django.db.models.functions import Cast, Concat, LPad, NullIf, Trim

from loyalty.models import AudienceMember, Member, Tier


def text(path: str) -> Expression:
    """A text column, empty meaning unknown."""
    return NullIf(F(path), Value(""), output_field=TextField())


def column(name: str) -> Expression:
    """A column whose null already means unknown."""
    output: Column = Member._meta.get_field(name)  # type: ignore[type-arg,assignment]
    return ExpressionWrapper(F(name), output_field=output)


def full_name() -> Expression:
    return NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value(""), output_field=TextField())


def usable(name: str) -> Expression:
    """An e-mail address or phone number, null where it is malformed."""
    return Case(When(Q(**{f"{name}_malformed": False}), then=text(name)), output_field=TextField())


def month_day() -> Expression:
    """The birthday as MM-DD."""
    return Case(
        When(
            birth_month__isnull=False,
            then=Concat(_two_digits("birth_month"), Value("-"), _two_digits("birth_day")),
        ),
        output_field=TextField(),
    )


def birthday() -> Expression:
    """YYYY-MM-DD, or --MM-DD where the year is not known."""
    year = Case(
        When(birth_year__isnull=False, then=Concat(Cast("birth_year", CharField()), Value("-"))),
        default=Value("--"),
        output_field=TextField(),
    )
    return Case(When(birth_month__isnull=False, then=Concat(year, month_day())), output_field=TextField())


def _two_digits(name: str) -> Expression:
    return LPad(Cast(name, CharField()), 2, Value("0"))


def tier(name: str) -> Expression:
    return ExpressionWrapper(F(f"tier__{name}"), output_field=TextField())


def next_tier_name() -> Expression:
    return ExpressionWrapper(Subquery(_next_tier().values("name")[:1]), output_field=TextField())


def points_to_next_tier() -> Expression:
    threshold = Subquery(_next_tier().values("threshold")[:1], output_field=BigIntegerField())
    return ExpressionWrapper(threshold - F("points_lifetime"), output_field=BigIntegerField())


def _next_tier() -> QuerySet[Tier]:
    return Tier.objects.filter(
        tenant_id=OuterRef("tenant_id"), threshold__gt=OuterRef("points_lifetime")
    ).order_by("threshold")


def audiences() -> Expression:
    """Slugs of the audiences a member belongs to now."""
    current = AudienceMember.objects.filter(member_id=OuterRef("pk"), left_at=None)
    slugs = ArraySubquery(current.order_by("audience__slug").values("audience__slug"))
    return ExpressionWrapper(slugs, output_field=ArrayField(TextField()))


def attribute(name: str) -> Expression:
    """The merchant's own field as jsonb. Not Django's KeyTransform, which reads “1” as a place in a list."""
    return Func(
        F("attributes"),
        Cast(Value(name), TextField()),
        template="(%(expressions)s)",
        arg_joiner=" -> ",
        output_field=JSONField(),
    )


def iso_text(moment: Expression) -> Expression:
    """A time as 2026-03-01T09:30:00Z."""
    return Func(
        moment,
        template="to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        output_field=TextField(),
    )
