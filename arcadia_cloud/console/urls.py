"""The console's own addresses, beside those of the admin."""

from django.contrib import admin
from django.urls import include, path

from arcadia_cloud.console.search_page import search_view
from arcadia_cloud.console.second_factor import views as second_factor
from arcadia_cloud.console.single_sign_on.views import SignInCallbackView, SignInRequestView, with_provider

urlpatterns = [
    path("jobs/", include("arcadia_cloud.console.jobs.urls")),
    # Before the theme's own search, which has this address: it knows neither groups nor owners.
    path("search/", admin.site.admin_view(search_view), name="console_search"),
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
