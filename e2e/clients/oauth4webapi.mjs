// The npm package oauth4webapi, unmodified, which leaves each step to its user: a client of FAPI 2.0 Message Signing as in
// openid_client_fapi.mjs. Every endpoint tells it by itself that its proof lacks a nonce (RFC 9449 section 8).
//
//     node oauth4webapi.mjs FIXTURE.json
import * as oauth from 'oauth4webapi';
import { authorizationAnswer, checksOf, close, expect, fixture } from './fixture.mjs';

const { app, clients: [of] } = fixture;
const check = checksOf('oauth4webapi');
const insecure = { [oauth.allowInsecureRequests]: true };
const client = { client_id: of.client_id };
const signsWith = { key: await crypto.subtle.importKey('jwk', of.key.jwk, of.key.algorithm, false, ['sign']), kid: of.key.jwk.kid };
const authentication = oauth.PrivateKeyJwt(signsWith);
const keyPair = await oauth.generateKeyPair('ES256');

const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
let as;
let answer;
let tokens;
let sub;

/** The outcome of what is sent with proofs of this key: refused without a nonce, and good with the one that this brings. */
async function withNonce(pair, send, process) {
  const DPoP = oauth.DPoP(client, pair);
  const ask = async () => process(await send({ DPoP, ...insecure }));
  const refused = await ask().catch((error) => error);
  expect(oauth.isDPoPNonceError(refused), `it is told to use a nonce, and not ${refused.code} ${refused.error}`);
  return ask();
}

for (const algorithm of ['oidc', 'oauth2']) {
  await check(`discovery, algorithm ${algorithm}`, async () => {
    const issuer = new URL(fixture.issuer);
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
    for (const member of ['pushed_authorization_request_endpoint', 'dpop_signing_alg_values_supported',
      'authorization_signing_alg_values_supported', 'request_object_signing_alg_values_supported',
      'authorization_response_iss_parameter_supported']) {
      expect(as[member], `${member} is announced`);
    }
    expect(as.response_modes_supported.includes('jwt'), 'signed responses are announced');
  });
}

await check('a signed request is pushed, with a proof', async () => {
  const object = await oauth.issueRequestObject(as, client, {
    response_type: 'code', response_mode: 'jwt', redirect_uri: app.redirect_uri, scope: 'openid offline_access',
    state, nonce, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }, signsWith);
  const pushed = await withNonce(keyPair,
    (options) => oauth.pushedAuthorizationRequest(as, client, authentication, { request: object }, options),
    (response) => oauth.processPushedAuthorizationResponse(as, client, response));
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: of.client_id, request_uri: pushed.request_uri });
  answer = await authorizationAnswer(url);
  return `${pushed.expires_in} s`;
});

await check('a signed response', async () => {
  answer = await oauth.validateJwtAuthResponse(as, client, answer, state, insecure);
  expect(answer.get('code') && answer.get('state') === state, 'a code for this request');
});

await check('code, with an ID token whose signature is verified', async () => {
  tokens = await withNonce(keyPair,
    (options) => oauth.authorizationCodeGrantRequest(as, client, authentication, answer, app.redirect_uri, verifier, options),
    async (response) => {
      const redeemed = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
      await oauth.validateApplicationLevelSignature(as, response, insecure);
      return redeemed;
    });
  ({ sub } = oauth.getValidatedIdTokenClaims(tokens));
  expect(tokens.token_type === 'dpop', 'bound');
});

await check('UserInfo', async () => {
  const claims = await withNonce(keyPair,
    (options) => oauth.userInfoRequest(as, client, tokens.access_token, options),
    (response) => oauth.processUserInfoResponse(as, client, sub, response));
  expect(claims.sub === sub, 'of this person');
});

await check('refresh with another key, to which the new access token is bound', async () => {
  const another = await oauth.generateKeyPair('Ed25519');
  const fresh = await withNonce(another,
    (options) => oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, options),
    (response) => oauth.processRefreshTokenResponse(as, client, response));
  const userinfo = (pair) => withNonce(pair,
    (options) => oauth.userInfoRequest(as, client, fresh.access_token, options),
    (response) => oauth.processUserInfoResponse(as, client, sub, response));
  await userinfo(another);
  const refused = await userinfo(keyPair).catch((error) => error);
  const [challenge] = refused.cause;
  expect(refused.status === 401 && challenge.scheme === 'dpop', 'the former key is refused by a challenge');
  expect(challenge.parameters.error === 'invalid_token', `with invalid_token and not ${challenge.parameters.error}`);
});

await check('refresh without a proof', async () => {
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, insecure);
  const refused = await oauth.processRefreshTokenResponse(as, client, response).catch((error) => error);
  expect(refused.error === 'invalid_request', `invalid_request and not ${refused.error}`);
  return refused.error_description;
});

await check('UserInfo with a bound token as a bearer token', async () => {
  const response = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
  const refused = await oauth.processUserInfoResponse(as, client, sub, response).catch((error) => error);
  const [bearer, dpop] = refused.cause;
  expect(bearer.scheme === 'bearer' && bearer.parameters.error === 'invalid_token', 'invalid_token');
  expect(dpop.scheme === 'dpop' && dpop.parameters.algs.includes('ES256'), 'it says what proofs may be signed with');
});

await check('a code that is redeemed twice', async () => {
  const refused = await withNonce(keyPair,
    (options) => oauth.authorizationCodeGrantRequest(as, client, authentication, answer, app.redirect_uri, verifier, options),
    (response) => oauth.processAuthorizationCodeResponse(as, client, response)).catch((error) => error);
  expect(refused.error === 'invalid_grant', `invalid_grant and not ${refused.error}`);
});

close();
