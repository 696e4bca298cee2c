"""A stateful local stand-in for Klaviyo: standard library only, its own process, no Django.

Start it with `manage.py klaviyo_sandbox` or `python -m integrations.klaviyo.sandbox`. Nothing here may
import the portal, and nothing in the portal may import this: the two meet over HTTP only, as the portal and
Klaviyo do.
"""
