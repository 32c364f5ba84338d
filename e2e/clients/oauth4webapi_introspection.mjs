// The npm package oauth4webapi, unmodified, as a resource server that introspects by JWTs (RFC 9701) and verifies JWT access
// tokens (RFC 9068), against the issuer of a fixture:
//
//     node oauth4webapi_introspection.mjs FIXTURE.json
//
// The fixture is that of openid_client_resources.mjs; the tokens are those of the client itself.
import * as oauth from 'oauth4webapi';
import { compactDecrypt, importJWK } from 'jose';
import { checksOf, close, expect, fixture } from './fixture.mjs';

const { app, introspecting, resources: { photos, prints } } = fixture;
const check = checksOf('oauth4webapi');
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(fixture.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));

async function token({ uri, scope }) {
  const client = { client_id: app.client_id };
  const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(app.client_secret),
    { resource: uri, scope }, insecure);
  return (await oauth.processClientCredentialsResponse(as, client, response)).access_token;
}

const [jwt, opaque] = [await token(photos), await token(prints)];

await check('introspection by JWTs is announced', async () => {
  for (const member of ['introspection_signing_alg_values_supported', 'introspection_encryption_alg_values_supported',
    'introspection_encryption_enc_values_supported']) {
    expect(as[member]?.length, member);
  }
  expect(!as.introspection_endpoint_auth_methods_supported.includes('none'), 'and only clients that authenticate can ask');
});

for (const of of introspecting) {
  const client = { client_id: of.client_id, ...of.metadata };
  const authentication = oauth.ClientSecretBasic(of.client_secret);
  const decrypt = of.decrypts && (async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, await importJWK(of.decrypts, client.introspection_encrypted_response_alg));
    return new TextDecoder().decode(plaintext);
  });

  await check(`${of.client_id}: an answer whose signature is verified`, async () => {
    for (const [asked, { uri, scope }] of [[jwt, photos], [opaque, prints]]) {
      const response = await oauth.introspectionRequest(as, client, authentication, asked, { ...insecure, requestJwtResponse: true });
      expect(oauth.getContentType(response) === 'application/token-introspection+jwt', 'a JWT');
      const told = await oauth.processIntrospectionResponse(as, client, response, decrypt && { [oauth.jweDecrypt]: decrypt });
      await oauth.validateApplicationLevelSignature(as, response, insecure);
      expect(told.active && told.aud === uri && told.scope === scope && told.client_id === app.client_id, JSON.stringify(told));
    }
  });

  await check(`${of.client_id}: nothing is told of what is no token`, async () => {
    const response = await oauth.introspectionRequest(as, client, authentication, 'at_nothing', { ...insecure, requestJwtResponse: true });
    const told = await oauth.processIntrospectionResponse(as, client, response, decrypt && { [oauth.jweDecrypt]: decrypt });
    expect(told.active === false && Object.keys(told).length === 1, JSON.stringify(told));
  });

  await check(`${of.client_id}: without asking for a JWT`, async () => {
    const response = await oauth.introspectionRequest(as, client, authentication, jwt, { ...insecure, requestJwtResponse: false });
    if (of.metadata) {
      const refused = await oauth.processIntrospectionResponse(as, client, response).catch((error) => error);
      expect(refused.error === 'invalid_request', `its protection is not lowered: ${refused.error}`);
    } else {
      expect((await oauth.processIntrospectionResponse(as, client, response)).active, 'plain JSON');
    }
  });
}

await check('a JWT access token at the resource server', async () => {
  const request = (value) => new Request(`${photos.uri}/album`, { headers: { authorization: `Bearer ${value}` } });
  const claims = await oauth.validateJwtAccessToken(as, request(jwt), photos.uri, insecure);
  expect(claims.sub === app.client_id && claims.scope === photos.scope, 'the client itself');
  const foreign = await oauth.validateJwtAccessToken(as, request(jwt), prints.uri, insecure).catch((error) => error);
  expect(foreign instanceof Error, 'it is for no other one');
});

close();
