"""The OAuth 2.0 layer: Authlib speaks the protocols, the core decides, pages ask the user."""
