from loyalty.admin import audiences, consent, members, outbox, points, tiers

__all__ = ["audiences", "consent", "members", "outbox", "points", "tiers"]
