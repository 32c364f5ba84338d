// Every sentence of the pages, in every language.

const en = {
  signIn: "Sign in",
  toGoOn: (client: string) => `to go on to ${client}`,
  username: "Name",
  password: "Password",
  cancel: "Cancel",
  refused: "This name and this password do not belong together.",
  throttled: (seconds: number) => `Too many attempts. Try again in ${seconds} s.`,
  busy: "There is much to do at this moment. Please try again.",
  stale: "This page was open for too long. Please enter everything once more.",
  no_cookies: "Your browser sends no cookies. Allow them for this site to sign in.",
  whoGoesOn: "Who goes on?",
  expectsAnother: (client: string) => `${client} expects somebody who is not signed in here.`,
  another: "Somebody else",
  mayIt: (client: string) => `May ${client} know this?`,
  signedInAs: (account: string) => `You are signed in as ${account}.`,
  at: (resource: string) => `This is about ${resource}.`,
  allow: "Allow",
  deny: "Deny",
  policy: "Privacy",
  terms: "Terms",
  nothingLeft: "Nothing is left to do here",
  answered: "This request was answered already.",
  ended: "The time of this request is over.",
  startAgain: "Start again",
  goOn: (client: string) => `Go on to ${client}`,
  backToApplication: "Go back to the application and start again from there.",
  wrong: "Something went wrong",
  tryAgain: "Try again",
  title: "Sign in",
  scopes: {
    openid: "Who you are here",
    profile: "Your name and your profile",
    email: "Your e-mail address",
    phone: "Your telephone number",
    address: "Your address",
    offline_access: "All this while you are away",
  } as Record<string, string>,
};

export type Words = typeof en;

const de: Words = {
  signIn: "Anmelden",
  toGoOn: (client) => `und weiter zu ${client}`,
  username: "Name",
  password: "Passwort",
  cancel: "Abbrechen",
  refused: "Dieser Name und dieses Passwort gehören nicht zusammen.",
  throttled: (seconds) => `Zu viele Versuche. Versuchen Sie es in ${seconds} s noch einmal.`,
  busy: "Im Augenblick ist viel zu tun. Bitte versuchen Sie es noch einmal.",
  stale: "Diese Seite war zu lange offen. Bitte geben Sie alles noch einmal ein.",
  no_cookies: "Ihr Browser sendet keine Cookies. Erlauben Sie sie für diese Seite, um sich anzumelden.",
  whoGoesOn: "Wer macht weiter?",
  expectsAnother: (client) => `${client} erwartet jemanden, der hier nicht angemeldet ist.`,
  another: "Jemand anderes",
  mayIt: (client) => `Darf ${client} das wissen?`,
  signedInAs: (account) => `Sie sind als ${account} angemeldet.`,
  at: (resource) => `Es geht um ${resource}.`,
  allow: "Erlauben",
  deny: "Ablehnen",
  policy: "Datenschutz",
  terms: "Bedingungen",
  nothingLeft: "Hier ist nichts mehr zu tun",
  answered: "Diese Anfrage wurde schon beantwortet.",
  ended: "Die Zeit dieser Anfrage ist vorbei.",
  startAgain: "Noch einmal beginnen",
  goOn: (client) => `Weiter zu ${client}`,
  backToApplication: "Kehren Sie zur Anwendung zurück und beginnen Sie dort von vorn.",
  wrong: "Etwas ging schief",
  tryAgain: "Noch einmal versuchen",
  title: "Anmelden",
  scopes: {
    openid: "Wer Sie hier sind",
    profile: "Ihren Namen und Ihr Profil",
    email: "Ihre E-Mail-Adresse",
    phone: "Ihre Telefonnummer",
    address: "Ihre Anschrift",
    offline_access: "All das auch, während Sie fort sind",
  },
};

/** The words of the first language that there are words of. */
export function wordsOf(languages: readonly string[]): [string, Words] {
  for (const language of languages) {
    const primary = language.toLowerCase().split("-")[0];
    if (primary === "de") return ["de", de];
    if (primary === "en") return ["en", en];
  }
  return ["en", en];
}
