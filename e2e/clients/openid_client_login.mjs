// A login with the npm package openid-client.
import * as client from 'openid-client';
import { authorizationAnswer, expect, fixture } from './fixture.mjs';

/** How it is set up: the issuer may speak plain HTTP, and the signature of every ID token is looked at. */
export const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];

/** A private key of a fixture. */
export const importKey = ({ jwk, algorithm }) => crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);

/** The error that a client is refused with; one that authenticated in the header hears it there, too. */
export async function refusal(outcome) {
  const error = await outcome.catch((thrown) => thrown);
  return error.error ?? error.cause?.[0]?.parameters?.error;
}

/** What the client sends and what it compares the answer with; `build` makes an address of the parameters. */
export async function request(config, more = {}, build = client.buildAuthorizationUrl) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true,
  };
  const url = await build(config, {
    redirect_uri: fixture.app.redirect_uri,
    scope: 'openid profile email offline_access',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return { url, checks };
}

/** What the browser posts to the client (OAuth 2.0 Form Post Response Mode section 2). */
export function posted(address) {
  const body = new URLSearchParams(address.search);
  return new Request(`${address.origin}${address.pathname}`, { method: 'POST', body });
}

/** Code, tokens and UserInfo; `receive` is how the answer comes to the client, `DPoP` what its tokens are bound to. */
export async function login(config, more, { receive = (answer) => answer, build, DPoP } = {}) {
  const { url, checks } = await request(config, more, build);
  const answer = await authorizationAnswer(url);
  const tokens = await client.authorizationCodeGrant(config, receive(answer), checks, undefined, { DPoP });
  expect(tokens.claims().nonce === checks.expectedNonce, 'the ID token is of this request');
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
  expect(userinfo.sub === tokens.claims().sub, 'UserInfo is of the same person');
  return { url, answer, tokens };
}
