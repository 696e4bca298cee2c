"""What goes where: fields to properties, event kinds to metrics, audiences to lists."""

from django.db import models
from django.db.models import Q

from integrations.models.extensions import Extension
from loyalty.models import Audience


class FieldPolicy(models.TextChoices):
    """Exception to the connection's merge policy for one property."""

    INHERIT = "", "As the connection"
    OVERWRITE = "overwrite", "Ours always wins"
    FILL_EMPTY = "fill_empty", "Fill only when empty"
    KEEP_THEIRS = "keep_theirs", "Keep theirs"
    MAX = "max", "The larger value wins"


class FieldMapping(models.Model):
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="field_mappings")
    field = models.CharField(max_length=120, help_text="Key of the field in the catalogue.")
    property = models.CharField(max_length=120, help_text="Name of the property in the destination.")
    policy = models.CharField(max_length=20, choices=FieldPolicy, blank=True, default="")

    class Meta:
        ordering = ["extension", "id"]
        constraints = [
            models.UniqueConstraint(fields=["extension", "property"], name="field_mapping_property_once"),
            models.CheckConstraint(
                condition=Q(property__gt="") & ~Q(property__startswith="$"),
                name="field_mapping_property_allowed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} → {self.property}"

    def get_additional_data(self) -> dict[str, int]:
        return {"tenant_id": self.extension.tenant_id}


class RetiredProperty(models.Model):
    """A property that is not mapped any more, whose values are to be cleared there; gone when that is done."""

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="retired_properties")
    property = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "retired properties"
        ordering = ["extension", "property"]
        constraints = [
            models.UniqueConstraint(fields=["extension", "property"], name="retired_property_once")
        ]

    def __str__(self) -> str:
        return self.property


class EventMapping(models.Model):
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="event_mappings")
    kind = models.CharField(max_length=40)
    metric = models.CharField(max_length=127)
    is_enabled = models.BooleanField("enabled", default=True)

    class Meta:
        ordering = ["extension", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["extension", "kind"], name="event_mapping_kind_once"),
            models.CheckConstraint(condition=Q(metric__gt=""), name="event_mapping_metric_given"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.metric}"

    def get_additional_data(self) -> dict[str, int]:
        return {"tenant_id": self.extension.tenant_id}


class AudienceMapping(models.Model):
    """An audience mirrored into a list.

    `list_id` is empty until the list was found or made. `read_at`: when the list was read for the first
    time, so that who was there already is known as *found*. `problem` is what a person must mend.
    `ending_at`: it is unlinked, those whom we added are being taken off, and then the row goes. `numbers`
    is what was counted on the list at `numbers_at`: {"on_list", "may_receive", "awaiting"}, None unknown.
    """

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="audience_mappings")
    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="mappings")
    list_name = models.CharField(max_length=200)
    list_id = models.CharField(max_length=64, blank=True, default="")
    create_list = models.BooleanField("create the list when missing", default=True)
    remove_leavers = models.BooleanField(default=True)
    is_paused = models.BooleanField("paused", default=False)
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    read_cursor = models.TextField(
        blank=True, default="", editable=False, help_text="Where the first reading stands."
    )
    problem = models.CharField(max_length=500, blank=True, default="", editable=False)
    ending_at = models.DateTimeField(null=True, blank=True, editable=False)
    numbers = models.JSONField(null=True, blank=True, editable=False)
    numbers_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["extension", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["extension", "list_name"], name="audience_mapping_list_name_once"
            ),
            models.UniqueConstraint(
                fields=["extension", "list_id"], condition=~Q(list_id=""), name="audience_mapping_list_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audience} → {self.list_name}"

    def get_additional_data(self) -> dict[str, int]:
        return {"tenant_id": self.extension.tenant_id}
