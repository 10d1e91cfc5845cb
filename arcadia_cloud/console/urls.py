"""The console's addresses of signing in, beside those of the admin's own."""

from django.urls import path

from arcadia_cloud.console.second_factor import views as second_factor
from arcadia_cloud.console.single_sign_on.views import SignInCallbackView, SignInRequestView, with_provider

urlpatterns = [
    path("second-factor/", second_factor.account_page, name="second_factor"),
    path("second-factor/code/", second_factor.code_page, name="second_factor_code"),
    path("second-factor/set-up/", second_factor.enrolment_page, name="second_factor_enrolment"),
    # The names are mozilla-django-oidc's.
    path("single-sign-on/", with_provider(SignInRequestView.as_view()), name="oidc_authentication_init"),
    path(
        "single-sign-on/callback/",
        with_provider(SignInCallbackView.as_view()),
        name="oidc_authentication_callback",
    ),
]
