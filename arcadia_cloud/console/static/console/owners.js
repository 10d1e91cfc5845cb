/* What the owner's combobox suggests: the browser's own list, filled with what fits the text so far. */
(() => {
  "use strict";
  const PAUSE = 150; // ms after the last key
  document.querySelectorAll("input[data-owners]").forEach((input) => {
    const list = document.getElementById(input.getAttribute("list"));
    let timer = 0;
    let request = null;

    async function load() {
      if (request) request.abort();
      request = new AbortController();
      try {
        const address = `${input.dataset.owners}?q=${encodeURIComponent(input.value)}`;
        const answer = await fetch(address, { signal: request.signal, credentials: "same-origin" });
        if (!answer.ok || answer.redirected) return;
        const { owners } = await answer.json();
        list.replaceChildren(
          ...owners.map((owner) => {
            const option = document.createElement("option");
            option.value = owner;
            return option;
          }),
        );
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }

    input.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(load, PAUSE);
    });
    input.addEventListener("focus", load, { once: true });
  });
})();
