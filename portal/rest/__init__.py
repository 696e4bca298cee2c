"""What every API resource stands on: bodies in, problems out, tokens, repeat-safe POST, its document."""
