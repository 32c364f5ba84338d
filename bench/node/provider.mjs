// The npm package oidc-provider with its in-memory adapter: `node provider.mjs PORT`; clients, and the identifier of a
// resource server that takes JWTs, as JSON on the standard input. Whoever is sent to log in is logged in and has consented, so that a browser gets a session without a page.

import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const { clients, resource } = JSON.parse(readFileSync(0, 'utf8'));

const key = (type, options, alg) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg };
};

const provider = new Provider(`http://localhost:${port}`, {
  clients,
  clientDefaults: { id_token_signed_response_alg: 'RS256' },
  jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client) => (client.clientId === 'jwt' ? resource : undefined),
      getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith('/interaction/')) return next();
  const { params } = await provider.interactionDetails(context.req, context.res);
  const grant = new provider.Grant({ accountId: 'jane', clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: 'jane' }, consent: { grantId: await grant.save() } };
  context.respond = false;
  return provider.interactionFinished(context.req, context.res, result);
});

provider.listen(port, '127.0.0.1');
