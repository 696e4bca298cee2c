from portal.admin import logins, system

__all__ = ["logins", "system"]
