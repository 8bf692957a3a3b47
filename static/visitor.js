/* What is nicer with a script on the form of a visitor, and works without: what is typed is kept, and sending waits where there is no connection. */
"use strict";
(() => {
  const form = document.querySelector("form[data-visitor]"), kept = document.getElementById("kept");
  let changed = false;
  const keep = () => {
    if (!changed) return;
    changed = false;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    body.set("draft", "script");
    fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" })
      .then((answer) => { if (answer.type !== "opaqueredirect") throw new Error(answer.status); kept.textContent = `Kept ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`; })
      .catch(() => { changed = true; kept.textContent = "Not kept just now. Leave this page open: it is tried again."; });
  };
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", (event) => {
    if (navigator.onLine) { changed = false; return; }
    event.preventDefault();
    kept.textContent = "There is no connection. Nothing is lost: leave this page open, and send it when there is one.";
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
  setInterval(keep, 10000);
  document.getElementById("problems")?.focus();
})();
