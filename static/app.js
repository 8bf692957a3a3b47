/* What is nicer with a script, and works without: drafts kept as one types, files dropped and pasted, a warning before an idle session ends, and Esc twice to hide. */
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

  /* Without a connection nothing is sent: the page with what was typed would give way to the browser’s own. */
  let away = null;
  addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopPropagation();
    away ||= tell("There is no connection. Nothing is lost: leave this page open, and press again when there is one.", "idle");
  }, true);
  addEventListener("online", () => { away?.remove(); away = null; });

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
  const draft = (one, path) => {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(one)) if (typeof value === "string") body.append(name, value);
    body.set("draft_path", path);
    return body;
  };
  const keep = () => {
    if (!form || !changed) return;
    changed = false;
    const body = draft(form, form.dataset.draft);
    send("/account/draft/", body).then(() => { alive(); full(false); said(); }).catch((problem) => { changed = true; if (["413", "507"].includes(problem.message)) full(true); });
  };
  if (form) {
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
    setInterval(keep, 15000);
  }

  /* Files: chosen, photographed, dropped or pasted, each goes to the draft at once, so that nothing that happens to the page loses it. Where that fails, it stays in the field and goes with the form. */
  let filing = Promise.resolve();
  const filed = form && form.querySelector("[data-files]");
  if (filed) {
    const field = filed.querySelector("input[type=file]"), list = filed.querySelector(".held"), state = document.createElement("p");
    state.className = "hint";
    state.setAttribute("role", "status");
    list.after(state);
    const show = (held) => {
      const out = [...list.querySelectorAll("input:checked")].map((box) => box.value);
      list.replaceChildren(...held.map(([id, name, size]) => {
        const line = document.createElement("li"), hint = document.createElement("span"), label = document.createElement("label"), box = document.createElement("input"), whose = document.createElement("span");
        hint.className = "hint";
        hint.textContent = `${Math.ceil(size / 1000)} kB`;
        label.className = "option";
        Object.assign(box, { type: "checkbox", name: "leave_out", value: id, checked: out.includes(String(id)) });
        whose.className = "sr";
        whose.textContent = ` ${name}`;
        label.append(box, " Leave out", whose);
        line.append(name, " ", hint, " ", label);
        return line;
      }));
      list.hidden = !held.length;
    };
    const put = (input) => {
      const files = [...input.files];
      if (!files.length) return;
      state.textContent = "Keeping it…";
      filing = filing.then(async () => {
        const body = new FormData();
        for (const [name, value] of draft(form, form.dataset.draft)) body.append(name, value);
        for (const file of files) body.append("files", file);
        body.set("csrf_token", token);
        body.delete("leave_out");
        const answer = await fetch("/account/draft/", { method: "POST", body, credentials: "same-origin" });
        if (!answer.ok) throw new Error(answer.status);
        const { held, wrong } = await answer.json();
        if (input.files.length === files.length && files.every((file, place) => file === input.files[place])) input.value = "";
        show(held);
        state.textContent = [wrong.length ? "" : "Kept with the draft. It is saved when you save.", ...wrong].join(" ").trim();
        alive();
        said();
      }).catch(() => { state.textContent = "Not kept with the draft. It goes with what you save: press Save soon, or choose a smaller one."; });
    };
    const take = (files) => {
      const all = new DataTransfer();
      for (const file of [...field.files, ...files]) all.items.add(file);
      field.files = all.files;
      filed.closest("details")?.setAttribute("open", "");
      put(field);
    };
    for (const input of filed.querySelectorAll("input[type=file]")) input.addEventListener("change", () => put(input));
    const holds = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    for (const kind of ["dragover", "drop"]) {
      addEventListener(kind, (event) => {
        if (!holds(event)) return;
        event.preventDefault(); /* or the browser leaves the page to open it */
        if (kind === "drop") take(event.dataTransfer.files);
      });
    }
    addEventListener("paste", (event) => {
      const from = event.clipboardData;
      if (!from || !from.files.length || from.getData("text/plain")) return;
      event.preventDefault();
      take(from.files);
    });
    const more = document.createElement("p");
    more.className = "hint drop";
    more.textContent = "Or drop it on this page, or paste a picture.";
    field.after(more);
  }

  (document.getElementById("problems") || document.getElementById("hints"))?.focus();

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

  /* Hide: the page is covered at once, what is typed is kept, the session is locked, and no page is left to go back to. */
  const hider = document.querySelector("[data-hide]"), tabs = new BroadcastChannel("hide");
  const pause = (time) => new Promise((done) => { setTimeout(done, time); });
  const typedIn = (one) => [...one.elements].some((field) => field.matches("textarea, input:not([type=hidden])") && field.value !== field.defaultValue);
  let drafts = null, place = null;
  const cover = () => {
    drafts = form && changed ? [draft(form, form.dataset.draft)] : [];
    place = hider.dataset.hide;
    for (const one of document.querySelectorAll('form[action$="/action/"], form[action$="/emergency/"]')) {
      if (!typedIn(one)) continue;
      const step = new URLSearchParams();
      for (const name of ["action", "rowid"]) if (one.elements[name]) step.set(name, one.elements[name].value);
      const path = one.getAttribute("action") + (step.size ? `?${step}` : "");
      drafts.push(draft(one, path));
      place = `/account/unsent/?${new URLSearchParams({ path })}`;
    }
    document.body.replaceChildren();
    document.title = "Hidden";
  };
  const lock = async (wait) => {
    try {
      while (drafts.length) {
        await send("/account/draft/", drafts[0]).catch((problem) => { if (!["401", "413", "423"].includes(problem.message)) throw problem; });
        drafts.shift();
      }
      await pause(wait);
      await Promise.race([filing, pause(2000)]); /* a file that is on its way to the draft */
      await send("/account/hide/", new URLSearchParams({ path: place }));
      location.replace("/account/hidden/");
    } catch {
      const again = document.createElement("button");
      again.textContent = "Try again";
      again.addEventListener("click", () => { again.parentNode.remove(); lock(0); });
      tell("This page is hidden, but not locked: the server did not answer. ", "idle").append(again);
    }
  };
  const hide = () => {
    if (drafts) return;
    cover();
    tabs.postMessage("hide");
    lock(300); /* for the other tabs to keep what was typed there */
  };
  if (hider) {
    hider.addEventListener("click", (event) => { event.preventDefault(); hide(); });
    tabs.addEventListener("message", () => { if (!drafts) { cover(); lock(900); } });
    let escaped = -Infinity;
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.repeat || event.isComposing) return;
      if (event.timeStamp - escaped < 1000) hide();
      escaped = event.timeStamp;
    });
  }
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
