// What docs/own-pages.md says of the provider's answers, as types, and the two requests that get them.

export interface Client {
  name: string;
  client_uri: string | null;
  logo_uri: string | null;
  policy_uri: string | null;
  tos_uri: string | null;
}

export interface Account {
  choice: string;
  label: string;
  is_expected: boolean;
}

interface Page {
  client: Client;
  target: string;
  ui_locales: string[];
  /** Sent back unchanged. */
  form: Record<string, string>;
}

export interface LoginPage extends Page {
  prompt: "login";
  username?: string;
  problem?: "refused" | "throttled" | "busy" | "stale" | "no_cookies";
  retry_after?: number;
  offers_sign_up: boolean;
}

export interface SignUpPage extends Page {
  prompt: "create";
  username?: string;
  problem?:
    | LoginPage["problem"]
    | "name_taken"
    | "name_unacceptable"
    | "password_too_short"
    | "password_too_common"
    | "password_is_name"
    | "password_unacceptable";
  retry_after?: number;
}

export interface AccountsPage extends Page {
  prompt: "select_account";
  accounts: Account[];
  expects_another: boolean;
  choice_has_ended: boolean;
}

export interface ConsentPage extends Page {
  prompt: "consent";
  account: Account;
  scopes: string[];
  claims: string[];
  resource?: string;
}

export type AnyPage = LoginPage | SignUpPage | AccountsPage | ConsentPage;

export interface Over {
  is_answered: boolean;
  client: Client | null;
  way_on: string | null;
  restart: string | null;
}

export type Answer =
  | AnyPage
  | { redirect_to: string }
  | { form_post: { action: string; fields: Record<string, string> } }
  | { web_message: { origin: string; message: object } }
  | { over: Over }
  | { error: string; error_description?: string };

export class Provider {
  constructor(private readonly issuer: string) {}

  /** What is to be shown for the interaction of this URL. */
  view(search: URLSearchParams): Promise<Answer> {
    return this.ask(`/interaction?${search}`, { method: "GET" });
  }

  /** What the person has entered on a page. */
  send(page: AnyPage, step: "login" | "create" | "account" | "consent" | "abort", entered: object): Promise<Answer> {
    return this.ask(`/interaction/${step}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...entered, form: page.form }),
    });
  }

  private async ask(path: string, init: RequestInit): Promise<Answer> {
    try {
      const response = await fetch(this.issuer + path, { ...init, credentials: "include", cache: "no-store" });
      return (await response.json()) as Answer;
    } catch {
      return { error: "unreachable" };
    }
  }
}
