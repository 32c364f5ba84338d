// One browser of one person: what the person does on the pages, and what has to be true of each page.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { axeViolations } from './axe.mjs';

/** An authorization request of a client, and what the client does with the answer. */
export class Request {
  constructor(world, client, parameters = {}) {
    this.world = world;
    this.client = client;
    this.verifier = randomBytes(32).toString('base64url');
    this.parameters = {
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: client.redirect_uris[0],
      scope: 'openid',
      state: randomBytes(12).toString('base64url'),
      nonce: randomBytes(12).toString('base64url'),
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    };
  }

  get url() {
    // `resource` can be there several times.
    const parameters = Object.entries(this.parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
    return `${this.world.issuer}/authorize?${new URLSearchParams(parameters)}`;
  }

  /** The client's answer is of this request, and holds a code. */
  async tokens(answer) {
    assert.equal(answer.state, this.parameters.state);
    assert.equal(answer.iss, this.world.issuer);
    assert.ok(answer.code, `a code and not ${answer.error}`);
    const { client_id, client_secret } = this.client;
    const response = await fetch(`${this.world.issuer}/token`, {
      method: 'POST',
      headers: client_secret ? { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` } : {},
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: answer.code,
        redirect_uri: this.parameters.redirect_uri,
        code_verifier: this.verifier,
        ...(client_secret ? {} : { client_id }),
      }),
    });
    assert.equal(response.status, 200);
    const tokens = await response.json();
    const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
    assert.equal(claims.nonce, this.parameters.nonce);
    return { ...tokens, claims };
  }

  /** The client's answer is of this request, and is this error. */
  refused(answer, error) {
    assert.equal(answer.state, this.parameters.state);
    assert.equal(answer.iss, this.world.issuer);
    assert.equal(answer.error, error);
    assert.equal(answer.code, undefined);
  }
}

/** One browser (its own cookies). */
export class Visit {
  static async begin(world, options = {}) {
    const visit = new Visit();
    visit.world = world;
    visit.scripts = options.javaScriptEnabled ?? world.scripts;
    visit.context = await world.chromium.newContext({ ...options, javaScriptEnabled: visit.scripts, ignoreHTTPSErrors: true });
    visit.violations = [];
    visit.context.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) visit.violations.push(message.text());
    });
    visit.context.on('request', (request) => {
      const foreign = !request.isNavigationRequest() && !request.url().startsWith(world.issuer);
      if (foreign && request.frame().url().startsWith(world.issuer)) visit.violations.push(`loads ${request.url()}`);
    });
    return visit;
  }

  async end() {
    await this.context.close();
    assert.deepEqual(this.violations, []);
  }

  /** A new tab that opens an address or a request. */
  async open(target) {
    const page = await this.context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(target.url ?? target);
    return page;
  }

  /** Waits for the page with this `data-page`, and looks whether it is fit for people. */
  async arrive(page, name) {
    await page.locator(`main[data-page="${name}"]`).waitFor();
    if (name === 'error') appendFileSync(`${this.world.logs}/${this.world.name}.error-bodies.log`, await page.content());
    if (page.url().startsWith(this.world.issuer)) await this.inspect(page, name);
    return page;
  }

  async inspect(page, name) {
    const seen = await page.evaluate(() => {
      const isVisible = (element) => element.getClientRects().length > 0;
      const inputs = [...document.querySelectorAll('input:not([type=hidden])')].filter(isVisible);
      const main = document.querySelector('main');
      return {
        waysOn: [...main.querySelectorAll('button:enabled, a[href]')].filter(isVisible).length,
        words: main.innerText,
        unlabelled: inputs.filter((input) => !input.labels.length && !input.ariaLabel).map((input) => input.name),
        headings: document.querySelectorAll('h1').length,
        language: document.documentElement.lang,
        title: document.title,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      };
    });
    // Whoever sent the person to the error page may be unknown, and a device is elsewhere; then words have to say how to go on.
    const closes = /You can close this page|können diese Seite schließen/;
    const says = { error: /start again|beginnen Sie von vorn/, 'device-done': closes, 'logout-done': closes };
    const saysHow = says[name]?.test(seen.words);
    assert.ok(seen.waysOn > 0 || saysHow, `the page ${name} is a dead end`);
    assert.deepEqual(seen.unlabelled, [], `inputs without a label on ${name}`);
    assert.equal(seen.headings, 1, `one heading on ${name}`);
    assert.ok(seen.language, `a language on ${name}`);
    assert.ok(seen.title, `a title on ${name}`);
    assert.ok(seen.overflow <= 0, `${name} is ${seen.overflow} px too wide`);
    // Where its own scripts run, so do others; and what was found once need not be looked for again.
    const kind = `${name}, ${seen.language}`;
    if (!this.scripts || this.world.judged.has(kind)) return;
    this.world.judged.add(kind);
    assert.deepEqual(await axeViolations(page), [], `axe-core on ${kind}`);
  }

  /** Which page this is; `client` when the person is back. */
  async name(page) {
    return page.locator('main[data-page]').getAttribute('data-page');
  }

  async press(page, action) {
    await page.locator(`button[name="action"][value="${action}"]`).click();
    await page.waitForLoadState();
  }

  /** Goes on with the Tab key until this has the focus. */
  async tabTo(page, selector) {
    for (let press = 0; press < 20; press += 1) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${selector} is not reached by the Tab key`);
  }

  /** The session cookies of this browser. */
  async sessions() {
    const cookies = await this.context.cookies();
    return cookies.filter((cookie) => cookie.value.startsWith('se_'));
  }

  async signIn(page, person) {
    await this.arrive(page, 'login');
    await page.locator('input[name="username"]').fill(person.username);
    await page.locator('input[name="password"]').fill(person.password);
    await this.press(page, 'login');
  }

  async allow(page) {
    await this.arrive(page, 'consent');
    await this.press(page, 'allow');
  }

  /** What the client got. */
  async answer(page) {
    await this.arrive(page, 'client');
    return JSON.parse(await page.locator('#answer').textContent());
  }

  /** Does whatever the pages ask for until the person is back at the client. */
  async finish(page, person) {
    for (let step = 0; step < 8; step += 1) {
      const name = await this.name(page);
      if (name === 'client') return this.answer(page);
      await this.arrive(page, name);
      if (name === 'login') await this.signIn(page, person);
      else if (name === 'consent') await this.press(page, 'allow');
      else if (name === 'accounts') await page.locator('button[name="account"]').first().click();
      else if (name === 'form_post') await page.locator('button').click();
      else return assert.fail(`the page ${name} does not lead to the client`);
      await page.waitForLoadState();
    }
    return assert.fail('eight pages and not back at the client');
  }

  /** A whole login for this client. */
  async through(request, person) {
    const page = await this.open(request);
    const answer = await this.finish(page, person);
    return { page, answer };
  }
}
