"""OAuth 2.0: how services, devices and pipelines come to short-lived access tokens, and how these are checked."""
