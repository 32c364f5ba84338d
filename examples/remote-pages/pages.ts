// The pages of a provider on another origin: what its API says is shown, and what the person enters is sent.
import { type AccountsPage, type Answer, type AnyPage, type Client, type ConsentPage, type LoginPage, type Over, Provider, type SignUpPage } from "./api.js";
import { type Words, wordsOf } from "./words.js";

const issuer = document.querySelector<HTMLMetaElement>('meta[name="issuer"]')!.content;
const provider = new Provider(issuer);
const main = document.querySelector("main")!;

/** An element. What it says comes from others, so that it is text and never markup. */
function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** A link to a page of the web; a client may register other addresses. */
function link(address: string | null, words: string): HTMLElement[] {
  const isWeb = address !== null && /^https?:/i.test(address);
  return isWeb ? [make("a", { href: address }, words)] : [];
}

function button(name: string, value: string, words: string, className = ""): HTMLButtonElement {
  return make("button", { name, value, className }, words);
}

function show(page: string, [language, words]: [string, Words], ...children: (Node | string)[]): void {
  document.documentElement.lang = language;
  document.title = words.title;
  main.dataset["page"] = page;
  main.replaceChildren(...children);
  const first = main.querySelector<HTMLElement>("input:not([value]), input[type=password], [autofocus]") ?? main.querySelector("h1")!;
  if (first instanceof HTMLHeadingElement) first.tabIndex = -1;
  first.focus();
}

/** A form that sends what was pressed and entered, once. */
function form(submitted: (pressed: string, entered: FormData) => Promise<Answer>, ...children: (Node | string)[]): HTMLFormElement {
  const element = make("form", {}, ...children);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const pressed = event.submitter as HTMLButtonElement | null;
    const entered = new FormData(element, pressed);
    for (const other of element.querySelectorAll("button")) other.disabled = true;
    obey(await submitted(pressed?.value ?? "", entered));
  });
  return element;
}

function about(client: Client, words: Words): HTMLElement {
  return make("p", {}, ...link(client.policy_uri, words.policy), " ", ...link(client.tos_uri, words.terms));
}

/** Asks for a name and a password: of an account that there is, or of one that is to be. */
function showCredentials(page: LoginPage | SignUpPage, language: [string, Words]): void {
  const [, words] = language;
  const isNew = page.prompt === "create";
  const heading = isNew ? words.createAccount : words.signIn;
  const problem = page.problem === "throttled" ? words.throttled(page.retry_after ?? 1) : page.problem && words[page.problem];
  const username = make("input", { name: "username", autocomplete: "username", required: true });
  if (page.username) username.setAttribute("value", page.username);
  username.autocapitalize = "none";
  const autocomplete = isNew ? "new-password" : "current-password";
  const password = make("input", { name: "password", type: "password", autocomplete, required: true });
  const other = isNew
    ? [button("action", "login", words.haveAccount)]
    : page.offers_sign_up ? [button("action", "create", words.createAccount)] : [];
  const cancel = button("action", "cancel", words.cancel);
  for (const way of [...other, cancel]) way.formNoValidate = true;
  show(
    page.prompt,
    language,
    make("h1", {}, heading),
    make("p", {}, words.toGoOn(page.client.name)),
    ...(problem ? [make("p", { role: "alert" }, problem)] : []),
    form(
      (pressed, entered) => {
        if (pressed === "cancel") return provider.send(page, "abort", {});
        // Nothing of what was entered is sent to the page for the other kind of account.
        if (pressed !== page.prompt) return provider.send(page, isNew ? "login" : "create", { username: "", password: "" });
        return provider.send(page, page.prompt, { username: entered.get("username"), password: entered.get("password") });
      },
      make("label", {}, words.username, username),
      make("label", {}, isNew ? words.newPassword : words.password, password),
      button("action", page.prompt, heading, "first"),
      ...other,
      cancel,
    ),
    about(page.client, words),
  );
}

function showAccounts(page: AccountsPage, language: [string, Words]): void {
  const [, words] = language;
  const accounts = page.accounts.flatMap((account) => [
    button("account", account.choice, account.label, account.is_expected ? "first" : ""),
    button("forget", account.choice, words.forget(account.label)),
  ]);
  show(
    "accounts",
    language,
    make("h1", {}, words.whoGoesOn),
    make("p", {}, words.toGoOn(page.client.name)),
    ...(page.choice_has_ended ? [make("p", { role: "alert" }, words.choiceHasEnded)] : []),
    ...(page.expects_another ? [make("p", {}, words.expectsAnother(page.client.name))] : []),
    form(
      (pressed, entered) => {
        if (entered.has("account")) return provider.send(page, "account", { account: pressed });
        if (entered.has("forget")) return provider.send(page, "account", { forget: pressed });
        return pressed === "another" ? provider.send(page, "account", { another: true }) : provider.send(page, "abort", {});
      },
      ...accounts,
      button("action", "another", words.another),
      button("action", "cancel", words.cancel),
    ),
  );
}

function showConsent(page: ConsentPage, language: [string, Words]): void {
  const [, words] = language;
  const asked = [...page.scopes.map((scope) => words.scopes[scope] ?? scope), ...page.claims];
  show(
    "consent",
    language,
    make("h1", {}, words.mayIt(page.client.name)),
    make("p", {}, words.signedInAs(page.account.label)),
    make("ul", {}, ...asked.map((what) => make("li", {}, what))),
    ...(page.resource ? [make("p", {}, words.at(page.resource))] : []),
    form(
      (pressed) => provider.send(page, "consent", pressed === "switch" ? { switch: true } : { allow: pressed === "allow" }),
      button("action", "allow", words.allow, "first"),
      button("action", "deny", words.deny),
      button("action", "switch", words.another),
    ),
    about(page.client, words),
  );
}

function showOver(over: Over): void {
  const language = wordsOf(navigator.languages);
  const [, words] = language;
  const ways = [
    ...link(over.way_on, words.goOn(over.client?.name ?? "")),
    ...link(over.restart, words.startAgain),
  ];
  show(
    "over",
    language,
    make("h1", {}, words.nothingLeft),
    make("p", {}, over.is_answered ? words.answered : words.ended),
    ...(ways.length ? ways.map((way) => make("p", {}, way)) : [make("p", {}, words.backToApplication)]),
  );
}

function showError(error: string): void {
  const language = wordsOf(navigator.languages);
  const [, words] = language;
  const again = make("button", { type: "button" }, words.tryAgain);
  again.addEventListener("click", () => location.reload());
  show("error", language, make("h1", {}, words.wrong), make("p", {}, error), again);
}

/** Posts a response to the client (OAuth 2.0 Form Post Response Mode). */
function post(action: string, fields: Record<string, string>): void {
  const inputs = Object.entries(fields).map(([name, value]) => make("input", { type: "hidden", name, value }));
  const element = make("form", { method: "post", action, hidden: true }, ...inputs);
  document.body.append(element);
  element.submit();
}

/** Sends a response to the window of the client, and to its origin alone. */
function send(origin: string, message: object): void {
  (window.opener ?? window.parent).postMessage(message, origin);
  window.close();
}

function showPage(page: AnyPage): void {
  const language = wordsOf([...page.ui_locales, ...navigator.languages]);
  if (page.prompt === "login" || page.prompt === "create") showCredentials(page, language);
  else if (page.prompt === "select_account") showAccounts(page, language);
  else showConsent(page, language);
}

/** Does what the provider says. */
function obey(answer: Answer): void {
  if ("prompt" in answer) return showPage(answer);
  if ("redirect_to" in answer) {
    // A step of these pages is no place to come back to.
    const isOwn = new URL(answer.redirect_to).origin === location.origin;
    return isOwn ? location.replace(answer.redirect_to) : location.assign(answer.redirect_to);
  }
  if ("form_post" in answer) return post(answer.form_post.action, answer.form_post.fields);
  if ("web_message" in answer) return send(answer.web_message.origin, answer.web_message.message);
  if ("over" in answer) return showOver(answer.over);
  return showError(answer.error_description ?? answer.error);
}

async function load(): Promise<void> {
  obey(await provider.view(new URLSearchParams(location.search)));
}

// A page that comes back out of the browser's memory may be answered by now.
addEventListener("pageshow", (event) => {
  if (event.persisted) void load();
});
await load();
