// Debian's Chromium through all pages, with scripts and without:
//
//     node main.mjs FIXTURE.json [WORDS OF A TEST'S NAME]
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import * as account from './account_tests.mjs';
import * as approval from './approval_tests.mjs';
import * as device from './device_tests.mjs';
import * as login from './login_tests.mjs';
import * as logout from './logout_tests.mjs';
import * as remote from './remote_tests.mjs';
import * as session from './session_tests.mjs';
import * as signUp from './sign_up_tests.mjs';
import * as webMessage from './web_message_tests.mjs';
import { startSite } from './site.mjs';
import { servePages } from '../../examples/remote-pages/serve.mjs';
import { Visit } from './visit.mjs';

const NAMES = ['Jane Doe', 'John Smith', 'Ada Byron', 'Grace Brewster', 'Alan Mathison', 'Emmy Amalie'];

/** What all tests share: the provider, the clients and their sites, the people. */
class World {
  constructor(fixture, browser, sites, scripts) {
    Object.assign(this, fixture, sites, { chromium: browser, scripts, judged: new Set() });
  }

  /** A person whom no other test knows. */
  async person(name = NAMES[World.people % NAMES.length], username = `person-${World.people + 1}`) {
    World.people += 1;
    const person = { username, name, password: this.password() };
    const file = `${this.folder}/${person.username}.json`;
    writeFileSync(file, JSON.stringify({ name, email: `${person.username}@example.com`, email_verified: true }));
    await this.command(['user', 'add', '--config', this.config, person.username, '--claims', file], person.password);
    unlinkSync(file);
    return person;
  }

  /** A new password, which is remembered as one that must not appear in any log. */
  password() {
    const password = `battery staple ${randomBytes(18).toString('base64url')}`;
    appendFileSync(this.secrets, `${password}\n`, { mode: 0o600 });
    return password;
  }

  async changePassword(person) {
    const password = this.password();
    await this.command(['user', 'passwd', '--config', this.config, person.username], password);
    return password;
  }

  async remove(person) {
    await this.command(['user', 'remove', '--config', this.config, person.username]);
  }

  /** A command is seen within a second. */
  untilSeen() {
    return wait(1_100);
  }

  command(words, input = '') {
    return new Promise((resolve, reject) => {
      const child = execFile(this.binary, words, { cwd: this.folder }, (error, stdout, stderr) =>
        error ? reject(new Error(`chancery ${words[0]} ${words[1]}: ${stderr}`)) : resolve(stdout));
      child.stdin.end(`${input}\n`);
    });
  }
}
World.people = 0;

let passed = 0;
let failed = 0;

async function runTest(world, name, test) {
  const full = `${world.name}, ${world.scripts ? 'with scripts' : 'no scripts'}: ${name}`;
  const visits = [];
  const begin = async (options) => {
    visits.push(await Visit.begin(world, options));
    return visits.at(-1);
  };
  const started = Date.now();
  try {
    await test({ world, begin, visit: await begin() });
    for (const visit of visits) await visit.end();
    passed += 1;
    console.log(`ok     ${full} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    const text = `${error.stack}`.replaceAll(/\b(ac|at|in|rt|se)_[\w-]{46,}/g, '$1_…');
    console.log(`FAILED ${full}\n${text.split('\n').slice(0, 12).join('\n')}`);
    for (const visit of visits) {
      for (const [at, page] of visit.context.pages().entries()) {
        const file = `${world.logs}/${full.replaceAll(/\W+/g, '-')}-${at}.png`;
        await page.screenshot({ path: file }).catch(() => undefined);
      }
      await visit.context.close().catch(() => undefined);
    }
  }
}

async function main() {
  const [file, ...rest] = process.argv.slice(2);
  const fixture = JSON.parse(readFileSync(file, 'utf8'));
  const words = rest.join(' ');
  const third = await startSite('127.0.0.2');
  const site = await startSite('127.0.0.1', third.origin);
  // Other origins of the issuer's own site.
  const neighbour = await startSite('localhost');
  const stranger = await startSite('localhost');
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  console.log(`Chromium ${browser.version()}`);
  // Pages on another origin are scripts.
  const pages = fixture.pages && await startPages(fixture);
  const worlds = (pages ? [true] : [true, false]).map((scripts) => new World(fixture, browser, { site, third, neighbour, stranger }, scripts));
  await worlds[0].addClients();
  for (const world of worlds.slice(1)) {
    const { books, mail, chat, photos, stuck, television, till } = worlds[0];
    Object.assign(world, { books, mail, chat, photos, stuck, television, till });
  }

  const waiting = worlds.flatMap((world) =>
    Object.entries(testsOf(world))
      .filter(([name]) => name.includes(words))
      .map(([name, test]) => [world, name, test]));
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await runTest(...next);
  };
  await Promise.all([lane(), lane(), lane()]);
  await browser.close();
  for (const server of [site, third, neighbour, stranger, pages]) server?.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

function testsOf({ scripts, pages, by_client, devices }) {
  if (by_client) return remote.byClient;
  return pages ? remote.tests : {
    ...login.tests, ...signUp.tests, ...session.tests, ...account.tests, ...logout.tests,
    ...(devices && { ...device.tests, ...approval.tests }), ...(scripts && { ...webMessage.tests, ...logout.scripted, ...login.scripted }),
  };
}

/** The pages of examples/remote-pages, compiled into the folder of the run, on the origin of the fixture. */
async function startPages({ issuer, pages, folder }) {
  const source = fileURLToPath(new URL('../../examples/remote-pages', import.meta.url));
  const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
  await promisify(execFile)(process.execPath, [compiler, '-p', source, '--outDir', `${folder}/pages`]);
  return servePages({ issuer, port: new URL(pages).port, folder: pathToFileURL(`${folder}/pages/`) });
}

/**
 * The clients: a shop with a secret, and without one a mail program and, on the issuer's site, a chat in the browser; a
 * television and a till where what has no browser is served.
 */
World.prototype.addClients = async function addClients() {
  const common = { application_type: 'native', response_types: ['code'], client_uri: this.site.origin };
  this.books = {
    ...common,
    client_id: 'books',
    client_name: 'Lantern Books',
    client_secret: randomBytes(32).toString('base64url'),
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [`${this.site.origin}/callback`, `${this.site.origin}/onward`],
    grant_types: ['authorization_code', 'refresh_token'],
    // Nothing is loaded from there, unless an operator wants it.
    logo_uri: 'https://lantern.example/logo.svg',
    policy_uri: `${this.site.origin}/privacy`,
    tos_uri: `${this.site.origin}/terms`,
    chancery: { resources: this.apis },
  };
  this.mail = {
    ...common,
    client_id: 'mail',
    client_name: 'Harbour Mail',
    token_endpoint_auth_method: 'none',
    redirect_uris: [`${this.site.origin}/callback/mail`],
    grant_types: ['authorization_code'],
  };
  this.chat = {
    ...common,
    client_id: 'chat',
    client_name: 'Lighthouse Chat',
    token_endpoint_auth_method: 'none',
    redirect_uris: [`${this.neighbour.origin}/callback/chat`],
    response_modes: ['web_message'],
    grant_types: ['authorization_code'],
    // An application on a loopback address is asked each time, unless an operator vouches for it (RFC 8252 section 8.6).
    chancery: { consent: 'implied' },
  };
  // Both are told of a logout in a frame; the second one never answers.
  const told = (client_id, client_name, path) => ({
    ...common,
    client_id,
    client_name,
    token_endpoint_auth_method: 'none',
    redirect_uris: [`${this.site.origin}/callback/${client_id}`],
    grant_types: ['authorization_code'],
    frontchannel_logout_uri: `${this.site.origin}${path}`,
    frontchannel_logout_session_required: true,
    post_logout_redirect_uris: [`${this.site.origin}/goodbye`],
  });
  this.photos = told('photos', 'Tidewater Photos', '/signed-out');
  this.stuck = told('stuck', 'Driftwood Notes', '/hangs');
  this.television = {
    client_id: 'television',
    client_name: 'Harbour Films',
    response_types: [],
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    policy_uri: `${this.site.origin}/privacy`,
  };
  this.till = {
    client_id: 'till',
    client_name: 'Harbour Market',
    client_secret: randomBytes(32).toString('base64url'),
    token_endpoint_auth_method: 'client_secret_post',
    response_types: [],
    grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
    backchannel_token_delivery_mode: 'poll',
    policy_uri: `${this.site.origin}/privacy`,
  };
  appendFileSync(this.secrets, `${this.till.client_secret}\n`, { mode: 0o600 });
  appendFileSync(this.secrets, `${this.books.client_secret}\n`, { mode: 0o600 });
  const file = `${this.folder}/clients.json`;
  const clients = [this.books, this.mail, this.chat, this.photos, this.stuck, ...(this.devices ? [this.television, this.till] : [])];
  writeFileSync(file, JSON.stringify(clients));
  await this.command(['client', 'add', '--config', this.config, '--file', file]);
  unlinkSync(file);
};

await main();
