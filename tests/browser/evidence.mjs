// What the evidence page does in a real browser. Arguments: the directory of `node_modules`, Chromium, a directory for
// pictures (or "-"), then pages: `name=path/to/report.html`. Prints one line a page, or what is wrong and exits with 1.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, executablePath, pictures, ...pages] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const faults = [];
const check = (holds, what) => {
  if (!holds) faults.push(what);
};

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
});

/** Opens a page and writes down everything the browser complains about, and every request it makes. */
const open = async (path, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => {
    said.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) asked.push(request.url());
  });
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
  }
  await page.goto(pathToFileURL(resolve(path)).href);
  return { context, page, said, asked };
};

const picture = async (page, name, fullPage = false) => {
  if (pictures !== "-") await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
};

/** Axe finds nothing. Its script runs outside of the page's policy, as a browser extension would. */
const accessible = async (page, name) => {
  const violations = await page.evaluate(`${axe}; axe.run(document, {resultTypes: ["violations"]})
    .then((ran) => ran.violations.map((found) =>
      found.id + ": " + found.nodes.slice(0, 3).map((node) => node.target + " " + node.failureSummary).join(" | ")))`);
  for (const violation of violations) faults.push(`${name}: axe: ${violation}`);
};

const count = async (page) => Number.parseInt((await page.locator("#count").innerText()).replaceAll(",", ""), 10);

/** Time from an input event to the next painted frame, in milliseconds: the median of ten keystrokes. */
const keystroke = (page) =>
  page.evaluate(async () => {
    const field = document.getElementById("text");
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const handled = [];
    const painted = [];
    for (const text of ["a", "ac", "acc", "acco", "acc", "ac", "a", "s", "sv", "svc"]) {
      await frame();
      field.value = text;
      const start = performance.now();
      field.dispatchEvent(new Event("input"));
      handled.push(performance.now() - start);
      await frame();
      painted.push(performance.now() - start);
    }
    field.value = "";
    field.dispatchEvent(new Event("input"));
    const median = (times) => times.sort((left, right) => left - right)[times.length / 2].toFixed(1);
    return `${median(handled)} ms handled, ${median(painted)} ms painted`;
  });

const examine = async (name, path) => {
  const small = !name.startsWith("many");
  const started = performance.now();
  const { context, page, said, asked } = await open(path);
  const all = await count(page);
  const opened = Math.round(performance.now() - started);
  check(all > 0, `${name}: no verdict is listed`);
  await picture(page, `${name}-light`, small);

  // Search: what is listed has the words; what nothing has, finds nothing.
  await page.fill("#text", "nxf-net-001 vpc");
  const searched = await count(page);
  check(searched > 0 && searched < all, `${name}: a search finds ${searched} of ${all}`);
  for (const text of await page.locator("#rows .row > summary").allInnerTexts()) {
    check(text.includes("NXF-NET-001"), `${name}: a search for NXF-NET-001 lists ${text}`);
  }
  await page.fill("#text", "no such words at all");
  check((await count(page)) === 0, `${name}: nonsense is found`);
  await page.click("#reset");
  check((await count(page)) === all, `${name}: Clear does not clear`);

  // Every filter by itself: its choices narrow, and those that part the verdicts add up.
  for (const [id, parts] of [
    ["framework", false],
    ["verdict", true],
    ["severity", true],
    ["domain", true],
    ["kind", true],
  ]) {
    let sum = 0;
    for (const option of await page.locator(`#${id} option`).evaluateAll((all) => all.map((one) => one.value))) {
      if (option === "" || option === "open") continue;
      await page.selectOption(`#${id}`, option);
      const some = await count(page);
      sum += some;
      check(some <= all, `${name}: ${id} ${option} lists ${some} of ${all}`);
    }
    check(parts ? sum === all : sum >= all, `${name}: the choices of ${id} have ${sum} of ${all} verdicts`);
    await page.click("#reset");
  }
  await page.selectOption("#framework", { index: 1 });
  check(await page.locator("#control").isEnabled(), `${name}: a framework's controls cannot be chosen`);
  await page.selectOption("#control", { index: 1 });
  const controlled = await count(page);
  check(controlled < all, `${name}: a control lists everything`);
  await page.click("#reset");

  // By keyboard alone: from the search field through the filters to a row, which Enter opens.
  await page.focus("#text");
  await page.keyboard.type("nxf-net-001");
  const order = [];
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const at = document.activeElement;
      return { id: at.id, tag: at.tagName, row: at.parentElement.className };
    });
    order.push(focus.id || focus.tag);
    if (focus.row === "row") break;
  }
  check(order.join(" ") === "framework verdict severity domain kind reset SUMMARY", `${name}: Tab goes ${order}`);
  await page.keyboard.press("Enter");
  const first = page.locator("#rows .row").first();
  check((await first.getAttribute("open")) !== null, `${name}: Enter does not open a row`);
  await first.locator(".sides").waitFor();
  check((await first.locator("pre .meant").count()) > 0, `${name}: an opened row shows no line`);
  await page.keyboard.press("Enter");
  check((await first.getAttribute("open")) === null, `${name}: Enter does not close a row`);
  await page.keyboard.press("Enter");
  await first.scrollIntoViewIfNeeded();
  await picture(page, `${name}-row`);
  await page.click("#reset");
  if (all > 100) {
    await page.focus("#more");
    await page.keyboard.press("Enter");
    check((await page.locator("#rows .row").count()) > 100, `${name}: no more rows`);
    const focused = await page.evaluate(() => document.activeElement.closest(".row") !== null);
    check(focused, `${name}: the focus is lost after Show more`);
  }

  // From a control to its verdicts.
  const framework = page.locator("details.framework").first();
  await framework.locator("summary").click();
  await framework.locator("button.show").first().click();
  check((await page.inputValue("#control")) !== "", `${name}: a control's button does not choose it`);
  await page.click("#reset");
  const time = await keystroke(page);

  // A link opens what it leads to.
  await page.evaluate(() => {
    location.hash = "#NXF-NET-001";
  });
  await page.waitForFunction(() => document.getElementById("NXF-NET-001").open);
  if (small) await accessible(page, `${name}, light`);
  await page.emulateMedia({ colorScheme: "dark" });
  if (small) await accessible(page, `${name}, dark`);
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, `${name}-dark`, small);

  // On paper: no controls, everything open.
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  check(!(await page.locator("#explorer").isVisible()), `${name}: the filters are printed`);
  const hidden = await page.evaluate(
    () =>
      [...document.querySelectorAll("main table, main .places")].filter((at) => !at.checkVisibility()).length,
  );
  check(hidden === 0, `${name}: ${hidden} parts are not printed`);
  if (small) {
    await page.pdf({ path: pictures === "-" ? undefined : join(pictures, `${name}.pdf`) });
    const closed = await page.evaluate(() => document.querySelectorAll("#policies details:not([open])").length);
    check(closed > 0, `${name}: printing leaves everything open`);
  }
  check(said.length === 0, `${name}: the browser says ${said.join(" / ")}`);
  check(asked.length === 1, `${name}: it asks for ${asked.join(" ")}`);
  await context.close();

  // Narrow, and without the script.
  const narrow = await open(path, { viewport: { width: 400, height: 800 } });
  const wide = await narrow.page.evaluate(() => document.documentElement.scrollWidth);
  check(wide <= 400, `${name}: at 400 pixels it is ${wide} wide`);
  await picture(narrow.page, `${name}-narrow`, small);
  await narrow.context.close();
  const plain = await open(path, { javaScriptEnabled: false });
  check(await plain.page.locator("noscript .note").isVisible(), `${name}: nothing is said where there is no script`);
  check(!(await plain.page.locator("#explorer").isVisible()), `${name}: dead filters without a script`);
  await plain.context.close();
  return `${name}: ${all} verdicts, open in ${opened} ms, a keystroke: ${time}`;
};

try {
  for (const argument of pages) {
    const [name, path] = argument.split(/=(.*)/s);
    console.log(await examine(name, path));
  }
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
