/* The global search: Ctrl-K or the header's button opens it, arrows move, Enter opens, Esc closes.
   The dialog is the browser's own modal one: it holds the focus, closes on Esc and gives the focus back. */
(() => {
  "use strict";
  const dialog = document.getElementById("search-dialog");
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const input = document.getElementById("search-input");
  const results = document.getElementById("search-results");
  const status = document.getElementById("search-status");
  const PAUSE = 120; // ms after the last key
  let timer = 0;
  let request = null;
  let active = -1;

  const options = () => Array.from(results.querySelectorAll("[role=option]"));

  function mark(index) {
    const all = options();
    active = all.length ? (index + all.length) % all.length : -1;
    all.forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    input.setAttribute("aria-expanded", String(all.length > 0));
    if (active < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    input.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  }

  function show(html, text) {
    results.innerHTML = html;
    results.dataset.text = text; // the text that the results are of
    mark(0);
    const count = options().length;
    status.textContent = text && count ? `${count} result${count === 1 ? "" : "s"}` : "";
  }

  async function load() {
    const text = input.value.trim();
    if (request) request.abort(); // an answer to an earlier text must not replace a later one's
    if (!text) {
      show("", "");
      return;
    }
    request = new AbortController();
    try {
      const answer = await fetch(`${form.action}?fragment=1&q=${encodeURIComponent(text)}`, {
        signal: request.signal,
        credentials: "same-origin",
      });
      if (answer.redirected) {
        window.location.reload(); // logged out meanwhile
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      show(await answer.text(), text);
    } catch (error) {
      if (error.name === "AbortError") return;
      show("", "");
      status.textContent = "The search didn't answer. Enter tries again on a page of its own.";
    }
  }

  function open() {
    if (dialog.open) return;
    dialog.showModal();
    input.focus();
    input.select();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#search-open") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    }
  });
  document.getElementById("search-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop is the dialog's own
  });
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(load, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(active + (event.key === "ArrowDown" ? 1 : -1));
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (results.dataset.text === input.value.trim()) {
      if (options()[active]) window.location.assign(options()[active].href);
      else form.submit();
      return;
    }
    // Enter came before the results of this text: the only one is opened, of several none was chosen.
    window.clearTimeout(timer);
    const typed = input.value.trim();
    await load();
    if (typed !== input.value.trim()) return;
    if (options().length === 1) window.location.assign(options()[0].href);
    else form.submit();
  });
  results.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) mark(options().indexOf(option));
  });
})();
