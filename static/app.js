/* What is nicer with a script, and works without: drafts kept as one types, and a warning before an idle session ends. */
"use strict";
(() => {
  const token = document.body.dataset.token, idle = Number(document.body.dataset.idleMinutes) * 60000;
  const send = (path, body) => { body.set("csrf_token", token); return fetch(path, { method: "POST", body, credentials: "same-origin" }).then((answer) => { if (!answer.ok) throw new Error(answer.status); }); };
  const tell = (text, name) => {
    const box = document.createElement("div");
    box.className = `flash warning ${name}`;
    box.setAttribute("role", "alert");
    box.append(text);
    document.body.append(box);
    return box;
  };

  const form = document.querySelector("form[data-draft]");
  let changed = false, notKept = null;
  const full = (yes) => {
    if (yes && !notKept) notKept = tell("What you type here is no longer kept as a draft: it is too much. Save it soon.", "idle");
    if (!yes && notKept) { notKept.remove(); notKept = null; }
  };
  const said = () => {
    const place = document.getElementById("kept");
    if (place) place.textContent = `Draft kept ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
  };
  const keep = () => {
    if (!form || !changed) return;
    changed = false;
    const body = new URLSearchParams(), fields = new FormData(form);
    for (const [name, value] of fields) if (typeof value === "string") body.append(name, value);
    body.set("draft_path", form.dataset.draft);
    send("/account/draft/", body).then(() => { alive(); full(false); said(); }).catch((problem) => { changed = true; if (["413", "507"].includes(problem.message)) full(true); });
  };
  if (form) {
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
    setInterval(keep, 15000);
  }

  document.getElementById("problems")?.focus();

  let last = Date.now(), box = null;
  const alive = () => { last = Date.now(); if (box) { box.remove(); box = null; } };
  const stay = () => send("/account/alive/", new URLSearchParams()).then(alive);
  setInterval(() => {
    const left = last + idle - Date.now();
    if (left <= 0 && box) box.textContent = `You have been signed out. ${form ? "What you type can still be saved: press Save, sign in, and it is back." : ""}`;
    if (left > 120000 || box) return;
    keep();
    const kept = form ? "What you typed is kept. " : "";
    box = tell(`You will be signed out in two minutes. ${kept}`, "idle");
    const button = document.createElement("button");
    button.textContent = "Stay signed in";
    button.addEventListener("click", stay);
    box.append(button);
  }, 5000);
})();
