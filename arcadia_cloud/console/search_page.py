"""The global search: the results in the dialog of every page, and the same as a page of its own."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse

from arcadia_cloud.kernel.console.search import LONGEST_TEXT, find, parse_term


def search_view(request: HttpRequest) -> HttpResponse:
    """Show what is found for `q`; with `fragment`, the dialog's list alone."""
    text = request.GET.get("q", "")
    term = parse_term(text)
    context = {"query": text, "groups": find(request, term) if term else [], "has_term": term is not None}
    if "fragment" in request.GET:
        return render(request, "console/search_results.html", context)
    page = {**admin.site.each_context(request), "title": "Search", "longest": LONGEST_TEXT, **context}
    return TemplateResponse(request, "console/search.html", page)
