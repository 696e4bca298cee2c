"""OAuth 2 as Klaviyo offers it: the Allow page, the token endpoint, the giving back."""
