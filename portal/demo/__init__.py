"""The demo tenants: a coffee roaster with ten months behind it, and a new shop without a connection."""
