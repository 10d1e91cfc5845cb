"""Sign-in through the company's identity provider, by OpenID Connect's code flow with PKCE.

mozilla-django-oidc does the flow: state, nonce, PKCE, the keys. It leaves out issuer, audience and required
claims of the ID token, which the backend here checks, and knows nothing of the console's groups.
"""
