from portal.tenancy.admin import people, tenants, tokens

__all__ = ["people", "tenants", "tokens"]
