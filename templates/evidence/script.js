// Search and filters over the data at the end of the page. Everything is shown as text: nothing here makes markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const PAGE = 100;
  const words = { pass: "met", fail: "failed", unproven: "unproven", waived: "waived" };
  const classes = { pass: "met", fail: "failed", unproven: "unproven", waived: "waived" };
  const kinds = { blueprint: "blueprint", terraform: "Terraform", kubernetes: "Kubernetes" };

  const policies = data.policies.map((policy) => ({ ...policy, controls: new Map(policy.controls) }));
  const where = (place) => (place ? `${data.files[place[0]].path}:${place[1]}` : "");
  const results = data.results.map(
    ([policy, verdict, kind, severity, subject, message, help, blueprint, generated, waiver]) => {
      const of = policies[policy];
      const hay = [of.id, of.title, of.domain, subject, message, waiver, where(blueprint), where(generated)];
      return {
        of, verdict, kind, severity, subject, message, help, blueprint, generated, waiver,
        hay: hay.join("\n").toLowerCase(),
      };
    },
  );

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The lines of a place with two around it, as the rest of the page shows them.
  const AROUND = 2;
  const MOST = 8;
  const lines = (title, place, none) => {
    const figure = make("figure", "lines");
    const caption = make("figcaption", "", title);
    figure.append(caption);
    if (!place) {
      figure.append(make("p", "none", none));
      return figure;
    }
    caption.append(" ", make("span", "path", where(place)));
    const text = data.files[place[0]].lines;
    const last = Math.min(place[2], place[1] + MOST - 1);
    const pre = make("pre");
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", `${title}, ${data.files[place[0]].path} line ${place[1]}`);
    for (let at = Math.max(1, place[1] - AROUND); at <= Math.min(text.length, last + AROUND); at += 1) {
      const line = make("span", at >= place[1] && at <= last ? "line meant" : "line");
      line.append(make("span", "number", String(at)), `${text[at - 1]}\n`);
      pre.append(line);
    }
    figure.append(pre);
    return figure;
  };

  const body = (result) => {
    const inside = make("div", "body");
    if (result.message) inside.append(make("p", "", result.message));
    if (result.help) inside.append(make("p", "small", `To mend it: ${result.help}`));
    if (result.waiver) inside.append(make("p", "small", `Waived ${result.waiver}`));
    const about = make("p", "small");
    const link = make("a", "", result.of.id);
    link.href = `#${result.of.id}`;
    about.append("Policy ", link);
    for (const framework of data.frameworks) {
      const controls = result.of.controls.get(framework.id);
      if (controls) about.append(` · ${framework.title} ${controls.join(", ")}`);
    }
    const sides = make("div", "sides");
    sides.append(
      lines("Blueprint", result.blueprint, "No line of the blueprint stands behind it."),
      lines("Generated", result.generated, "Nothing is generated from these lines alone."),
    );
    inside.append(about, sides);
    return inside;
  };

  const row = (result) => {
    const details = make("details", "row");
    const summary = make("summary");
    const what = make("span", "what");
    what.append(
      make("code", "", result.subject),
      make("span", "title", `${result.of.title} · ${result.severity} · ${kinds[result.kind]}`),
    );
    const badge = make("span");
    badge.append(make("span", `badge ${classes[result.verdict]}`, words[result.verdict]));
    summary.append(badge, make("span", "id", result.of.id), what);
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(body(result));
    });
    return details;
  };

  const rows = $("rows");
  const more = $("more");
  const filters = ["text", "framework", "control", "verdict", "severity", "domain", "kind"];
  let found = [];
  let shown = 0;

  const show = () => {
    const batch = document.createDocumentFragment();
    for (const result of found.slice(shown, shown + PAGE)) batch.append(row(result));
    rows.append(batch);
    shown = Math.min(found.length, shown + PAGE);
    more.hidden = shown === found.length;
    const all = found.length === results.length ? "verdicts" : `of ${results.length.toLocaleString("en")} verdicts`;
    const part = shown < found.length ? `, the first ${shown} shown` : "";
    $("count").textContent = `${found.length.toLocaleString("en")} ${all}${part}`;
  };

  const filter = () => {
    const [text, framework, control, verdict, severity, domain, kind] = filters.map((id) => $(id).value);
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const applies = new Set(
      policies.filter((policy) => {
        if (domain && policy.domain !== domain) return false;
        const controls = framework ? policy.controls.get(framework) : [];
        return controls !== undefined && (!control || controls.includes(control));
      }),
    );
    found = results.filter(
      (result) =>
        applies.has(result.of) &&
        (!verdict || (verdict === "open" ? result.verdict !== "pass" : result.verdict === verdict)) &&
        (!severity || result.severity === severity) &&
        (!kind || result.kind === kind) &&
        wanted.every((word) => result.hay.includes(word)),
    );
    shown = 0;
    rows.replaceChildren();
    show();
  };

  // The controls of the chosen framework.
  const offer = () => {
    const framework = data.frameworks.find((framework) => framework.id === $("framework").value);
    const options = framework ? framework.controls : [];
    $("control").replaceChildren(new Option("all", ""), ...options.map((control) => new Option(control, control)));
    $("control").disabled = !framework;
  };

  for (const id of filters) {
    $(id).addEventListener("input", () => {
      if (id === "framework") offer();
      filter();
    });
  }
  $("reset").addEventListener("click", () => {
    for (const id of filters) $(id).value = "";
    offer();
    filter();
    $("text").focus();
  });
  more.addEventListener("click", () => {
    const next = shown;
    show();
    rows.children[next]?.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.show");
    if (!button) return;
    for (const id of filters) $(id).value = "";
    $("framework").value = button.dataset.framework;
    offer();
    $("control").value = button.dataset.control;
    filter();
    $("search").scrollIntoView();
    $("control").focus({ preventScroll: true });
  });
  $("zoom")?.addEventListener("click", (event) => {
    const full = document.querySelector(".picture").classList.toggle("full");
    event.target.setAttribute("aria-pressed", String(full));
  });

  // A link to something inside a closed part opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // Paper has no closed parts.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    closed = [];
  });

  document.documentElement.classList.add("scripted");
  filter();
  if (location.hash) reveal();
})();
