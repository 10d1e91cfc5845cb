"""Pages of the second factor: its code at a sign-in, its set-up, and each person's own page of it."""

from base64 import b32encode
from collections.abc import Callable
from typing import Any, Final, cast

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as mark_passed
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.util import random_hex

from arcadia_cloud.console.lockout import render_lockout
from arcadia_cloud.console.second_factor.attempts import forget_failures, use_code
from arcadia_cloud.console.second_factor.codes import count_recovery_codes
from arcadia_cloud.console.second_factor.enrolment import (
    app_address,
    enrol,
    remove_second_factor,
    replace_recovery_codes,
    require_shown,
)
from arcadia_cloud.console.second_factor.errors import AlreadyEnrolled, CodeThrottled, LockedOut, WrongCode
from arcadia_cloud.console.second_factor.forms import CodeForm, EnrolmentForm, ReplacementForm
from arcadia_cloud.console.second_factor.policy import DueStep, due_step, is_enrolled, is_required

_KEY: Final = "second_factor_key"  # of the session: an app's key until its first code confirms it

View = Callable[[HttpRequest], HttpResponse]


def _page(view: View) -> View:
    """Open the view to the console's people alone, store its answers nowhere, and lock out by its refusal."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except LockedOut:
            logout(request)
            return render_lockout(request)

    opened = require_http_methods(["GET", "HEAD", "POST"])(
        staff_member_required(answer, login_url="admin:login")
    )
    return cast("View", never_cache(opened))


@_page
def code_page(request: HttpRequest) -> HttpResponse:
    """Ask a session that is signed in by its password alone for a code."""
    user = cast("User", request.user)
    if due_step(request, user) is not DueStep.CODE:
        return redirect(_next(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = _use(request, user, form)
        if device is not None:
            _pass(request, user, device)
            if isinstance(device, StaticDevice):
                left = count_recovery_codes(user)
                messages.warning(
                    request,
                    f"Signed in by a recovery code; {left} left. Set up your new phone, or make new codes.",
                )
                return redirect("second_factor")
            return redirect(_next(request))
    return _render(request, "code", title="Second factor", form=form)


@_page
def enrolment_page(request: HttpRequest) -> HttpResponse:
    """Set up an app, or another one: a QR code, its first code, then the recovery codes, once."""
    user = cast("User", request.user)
    if due_step(request, user) is DueStep.CODE:
        return redirect("second_factor_code")
    replaces = is_enrolled(user)
    # Kept in the session: a key that waited in the database could be one that somebody else has seen.
    key = request.session.setdefault(_KEY, random_hex(20))
    form = (ReplacementForm if replaces else EnrolmentForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = _confirm_app(request, user, form, key=key, replaces=replaces)
        if answer is not None:
            return answer
    context = {
        "qr_code": _qr_code(app_address(user, key)),
        "key": b32encode(bytes.fromhex(key)).decode(),
        "replaces": replaces,
        "required": is_required(user),
    }
    return _render(request, "enrolment", title="Set up the second factor", form=form, **context)


@_page
def account_page(request: HttpRequest) -> HttpResponse:
    """Show a person's own second factor; with a code they make new recovery codes, or turn it off."""
    user = cast("User", request.user)
    if due_step(request, user) is not DueStep.NONE:
        return redirect("second_factor_code")
    form, required = CodeForm(request.POST or None), is_required(user)
    if request.method == "POST" and form.is_valid() and _use(request, user, form) is not None:
        if request.POST.get("action") == "codes":
            codes = replace_recovery_codes(user)
            return _render(request, "recovery_codes", title="Recovery codes", codes=codes)
        if request.POST.get("action") == "remove" and not required:
            remove_second_factor(user)
            messages.success(request, "The second factor is off.")
            return redirect("second_factor")
    context = {
        "enrolled": is_enrolled(user),
        "required": required,
        "codes_left": count_recovery_codes(user),
    }
    return _render(request, "account", title="Second factor", form=form, **context)


def _confirm_app(
    request: HttpRequest, user: User, form: forms.Form, *, key: str, replaces: bool
) -> HttpResponse | None:
    """Take the app into use and show its recovery codes; None with the reason in the form.

    Raises LockedOut.
    """
    code = form.cleaned_data["new_code"].replace(" ", "")
    try:
        # First: the present app's code would be used up for a wrong one of the new app.
        require_shown(key, code)
        if replaces and _use(request, user, form) is None:
            return None
        device, codes = enrol(user, key=key, code=code, may_replace=replaces)
    except AlreadyEnrolled:  # meanwhile, by another session that the password has opened
        return redirect("second_factor_code")
    except WrongCode as refusal:
        form.add_error("new_code", refusal.detail)
        return None
    del request.session[_KEY]
    _pass(request, user, device)
    return _render(request, "recovery_codes", title="Recovery codes", codes=codes, next=_next(request))


def _use(request: HttpRequest, user: User, form: forms.Form) -> Any:
    """Use up the form's code and return its device; None with the reason in the form. Raises LockedOut."""
    try:
        return use_code(request, user, form.cleaned_data["code"])
    except (WrongCode, CodeThrottled) as refusal:
        form.add_error("code", refusal.detail)
        return None


def _pass(request: HttpRequest, user: User, device: Any) -> None:
    """Mark the session as passed, under a new key: the one of before was good for less."""
    mark_passed(request, device)
    request.session.cycle_key()
    forget_failures(request, user)


def _next(request: HttpRequest) -> str:
    """Return where the session was going to; an address of another host counts as none."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("admin:index")


def _qr_code(address: str) -> str:
    """Return the SVG of an address, drawn here: the secret in it goes to no other service."""
    code = segno.make(address, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=5, dark="#000", light="#fff", title="QR code for the app"))  # noqa: S308


def _render(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    page = f"console/second_factor/{name}.html"
    return render(request, page, {**admin.site.each_context(request), **context})
