"""The console's second factor: a code of an app on the phone (TOTP, RFC 6238), and recovery codes.

django-otp keeps the secrets, checks codes, refuses one that was used and slows down guesses. Ours are the
pages, in the theme, and the rules: who needs one, and what may be opened without it. django-two-factor-auth
and django-allauth bring logins, pages and addresses of their own, which would stand beside the admin's.
"""
