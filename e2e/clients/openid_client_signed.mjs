// The npm package openid-client, unmodified: clients that authenticate by what they sign (RFC 7523), sign what they ask
// for (RFC 9101), which the npm package jose encrypts, and answers that do not come in the query.
//
//     node openid_client_signed.mjs FIXTURE.json
//
// The fixture names the clients `private_key_jwt` and `client_secret_jwt`, for both of which the provider knows what
// they sign with, `encrypting`, whose requests are signed and encrypted with its secret, `hybrid` (response type `code id_token`) and `implicit` (`id_token`).
import * as client from 'openid-client';
import * as jose from 'jose';
import { authorizationAnswer, checksOf, close, expect, fixture } from './fixture.mjs';
import { execute, importKey, login, posted, refusal, request } from './openid_client_login.mjs';

const { clients } = fixture;
const check = checksOf('openid-client');

function discover({ client_id }, authentication) {
  return client.discovery(new URL(fixture.issuer), client_id, undefined, authentication, { execute });
}

for (const of of clients.private_key_jwt) {
  const { kid } = of.key.jwk;
  await check(`private_key_jwt with ${of.key.name}: code, refresh, introspection, revocation`, async () => {
    const config = await discover(of, client.PrivateKeyJwt({ key: await importKey(of.key), kid }));
    const { tokens } = await login(config);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    const seen = await client.tokenIntrospection(config, fresh.access_token);
    expect(seen.active && seen.client_id === of.client_id, 'active, of the client');
    await client.tokenRevocation(config, fresh.access_token);
    expect(!(await client.tokenIntrospection(config, fresh.access_token)).active, 'inactive afterwards');
  });
}

for (const of of clients.private_key_jwt) {
  await check(`a request object signed with ${of.key.name}, login`, async () => {
    const key = { key: await importKey(of.key), kid: of.key.jwk.kid };
    const config = await discover(of, client.PrivateKeyJwt(key));
    const build = (...asked) => client.buildAuthorizationUrlWithJAR(...asked, key);
    const { url } = await request(config, {}, build);
    expect([...url.searchParams.keys()].sort().join() === 'client_id,request', 'nothing is asked for outside of it');
    await login(config, {}, { build });
  });
}

/** The address with its request object encrypted: for a key of the provider, or with one that both sides know. */
async function encrypted(url, key, header) {
  const plaintext = new TextEncoder().encode(url.searchParams.get('request'));
  const object = await new jose.CompactEncrypt(plaintext).setProtectedHeader({ cty: 'JWT', ...header }).encrypt(key);
  url.searchParams.set('request', object);
  return url;
}

for (const [alg, enc, kty] of [
  ['RSA-OAEP-256', 'A128CBC-HS256', 'RSA'], ['ECDH-ES', 'A256GCM', 'EC'], ['ECDH-ES+A256KW', 'A256CBC-HS512', 'EC'],
]) {
  await check(`a request object encrypted by ${alg} with ${enc}, login`, async () => {
    const [of] = clients.private_key_jwt;
    const key = { key: await importKey(of.key), kid: of.key.jwk.kid };
    const config = await discover(of, client.PrivateKeyJwt(key));
    const { jwks_uri, request_object_encryption_alg_values_supported: announced } = config.serverMetadata();
    expect(announced.includes(alg), `${alg} is announced`);
    const { keys } = await (await fetch(jwks_uri)).json();
    const jwk = keys.find((one) => one.use === 'enc' && one.kty === kty);
    const build = async (...asked) => encrypted(
      await client.buildAuthorizationUrlWithJAR(...asked, key), await jose.importJWK(jwk, alg), { alg, enc, kid: jwk.kid });
    await login(config, {}, { build });
  });
}

for (const [alg, enc, length] of [['dir', 'A256CBC-HS512', 64], ['A256GCMKW', 'A128GCM', 32]]) {
  await check(`a request object encrypted by ${alg} with ${enc} and the client secret, login`, async () => {
    const of = clients.encrypting;
    const secret = new TextEncoder().encode(of.client_secret);
    const config = await discover(of, client.ClientSecretBasic(of.client_secret));
    const hash = length > 32 ? 'SHA-512' : 'SHA-256';
    const key = new Uint8Array(await crypto.subtle.digest(hash, secret)).slice(0, length);
    const build = async (_, parameters) => {
      const url = client.buildAuthorizationUrl(config, parameters);
      const claims = { ...Object.fromEntries(url.searchParams), iss: of.client_id, aud: fixture.issuer };
      const signed = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1m').sign(secret);
      url.search = new URLSearchParams({ client_id: of.client_id, request: signed });
      return encrypted(url, key, { alg, enc });
    };
    await login(config, {}, { build });
  });
}

await check('private_key_jwt with the key of another client', async () => {
  const [of, other] = clients.private_key_jwt;
  const config = await discover(of, client.PrivateKeyJwt({ key: await importKey(other.key), kid: other.key.jwk.kid }));
  expect((await refusal(client.clientCredentialsGrant(config))) === 'invalid_client', 'refused');
});

await check('private_key_jwt that is presented twice', async () => {
  const [of] = clients.private_key_jwt;
  const jti = client.randomNonce();
  const once = { [client.modifyAssertion]: (_, payload) => Object.assign(payload, { jti }) };
  const config = await discover(of, client.PrivateKeyJwt({ key: await importKey(of.key), kid: of.key.jwk.kid }, once));
  expect((await client.clientCredentialsGrant(config)).access_token, 'good once');
  expect((await refusal(client.clientCredentialsGrant(config))) === 'invalid_client', 'refused the second time');
});

await check('client_secret_jwt: code, refresh, client credentials', async () => {
  const of = clients.client_secret_jwt;
  const config = await discover(of, client.ClientSecretJwt(of.client_secret));
  const { tokens } = await login(config);
  expect((await client.refreshTokenGrant(config, tokens.refresh_token)).refresh_token, 'a successor');
  expect((await client.clientCredentialsGrant(config)).access_token, 'a token of its own');
});

await check('client_secret_jwt with a wrong secret', async () => {
  const of = clients.client_secret_jwt;
  const config = await discover(of, client.ClientSecretJwt(client.randomNonce()));
  expect((await refusal(client.clientCredentialsGrant(config))) === 'invalid_client', 'refused');
});

for (const mode of ['query', 'form_post']) {
  await check(`code with response_mode=${mode}`, async () => {
    const of = clients.client_secret_jwt;
    const config = await discover(of, client.ClientSecretJwt(of.client_secret));
    await login(config, { response_mode: mode }, mode === 'form_post' ? { receive: posted } : {});
  });
}

await check('hybrid: code id_token, in the fragment', async () => {
  const of = clients.hybrid;
  const config = await discover(of, client.ClientSecretBasic(of.client_secret));
  client.useCodeIdTokenResponseType(config);
  const { answer } = await login(config);
  expect(answer.hash.includes('id_token=') && !answer.search, 'both are in the fragment');
});

await check('hybrid: code id_token by form_post', async () => {
  const of = clients.hybrid;
  const config = await discover(of, client.ClientSecretBasic(of.client_secret));
  client.useCodeIdTokenResponseType(config);
  await login(config, { response_mode: 'form_post' }, { receive: posted });
});

for (const mode of ['fragment', 'form_post']) {
  await check(`implicit: id_token with response_mode=${mode}`, async () => {
    const of = clients.implicit;
    const config = await discover(of, client.None());
    client.useIdTokenResponseType(config);
    const { url, checks } = await request(config, { response_mode: mode, scope: 'openid profile' });
    const answer = await authorizationAnswer(url);
    const { expectedState, expectedNonce } = checks;
    const received = mode === 'form_post' ? posted(answer) : answer;
    const claims = await client.implicitAuthentication(config, received, expectedNonce, { expectedState });
    expect(claims.sub && claims.aud === of.client_id, 'an ID token for this client');
  });
}

close();
