"""Calls granted lately, shared by all processes."""

from django.db import models


class RateWindow(models.Model):
    """One bucket: an endpoint of one account with one kind of auth. Arithmetic: gateway/buckets.py."""

    key = models.CharField(max_length=200, primary_key=True)
    slots = models.JSONField(default=dict, help_text="Granted calls by second.")
    blocked_until = models.FloatField(default=0, help_text="Unix time; the destination asked us to wait.")
    refused = models.PositiveBigIntegerField(default=0, help_text="Calls refused with 429, ever.")
    granted = models.PositiveBigIntegerField(default=0, help_text="Calls granted, ever.")
    permitted = models.PositiveIntegerField(default=0, help_text="Calls a minute that are ours.")

    def __str__(self) -> str:
        return self.key
