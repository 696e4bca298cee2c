"""The control API under /sandbox/api/: look at the state and plan trouble. No auth, loopback only, no part
of Klaviyo.
"""
