// The npm package jose beside the crate chancery-jose: `crates/jose/tests/interop.rs` starts this, writes one JSON
// text to its standard input and reads one from its standard output.
//
// In:  { ours: [{ alg, privateJwk?, publicJwk?, secret?, jws }], set }
// Out: { ours: [{ payload, header, thumbprint, viaSet, tamperedIsRefused, theirJws }],
//        theirs: [{ alg, privateJwk?, publicJwk?, secret?, jws, thumbprint }] }
import * as jose from 'jose'

const payload = { iss: 'https://op.example', sub: 'älice', aud: ['a', 'b'], exp: 4102444800, nested: { a: [1, 2.5] } }

const sign = (alg, kid, key) =>
  new jose.SignJWT(payload).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(key)

const secretOf = (text) => jose.base64url.decode(text)

/** The same token with another payload. */
function tampered(jws) {
  const [header, , signature] = jws.split('.')
  return [header, jose.base64url.encode('{"sub":"mallory"}'), signature].join('.')
}

async function checkOurs({ alg, privateJwk, publicJwk, secret, jws }, set) {
  const verifying = secret ? secretOf(secret) : await jose.importJWK(publicJwk, alg)
  const signing = secret ? secretOf(secret) : await jose.importJWK(privateJwk, alg)
  const verified = await jose.compactVerify(jws, verifying, { algorithms: [alg] })
  return {
    payload: new TextDecoder().decode(verified.payload),
    header: verified.protectedHeader,
    thumbprint: secret ? null : await jose.calculateJwkThumbprint(publicJwk),
    viaSet: secret ? null : (await jose.jwtVerify(jws, set, { algorithms: [alg] })).payload.sub,
    tamperedIsRefused: await jose.compactVerify(tampered(jws), verifying).then(() => false, () => true),
    theirJws: await sign(alg, publicJwk?.kid, signing),
  }
}

async function makeTheirs(alg) {
  if (alg.startsWith('HS')) {
    const secret = jose.base64url.encode(crypto.getRandomValues(new Uint8Array(64)))
    return { alg, secret, jws: await sign(alg, undefined, secretOf(secret)) }
  }
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
  const publicJwk = await jose.exportJWK(publicKey)
  return {
    alg,
    publicJwk,
    privateJwk: await jose.exportJWK(privateKey),
    jws: await sign(alg, 'theirs', privateKey),
    thumbprint: await jose.calculateJwkThumbprint(publicJwk),
  }
}

let input = ''
for await (const chunk of process.stdin) input += chunk
const { ours, set } = JSON.parse(input)
const localSet = jose.createLocalJWKSet(set)
const answer = { ours: [], theirs: [] }
for (const one of ours) answer.ours.push(await checkOurs(one, localSet))
for (const { alg } of ours) answer.theirs.push(await makeTheirs(alg))
process.stdout.write(JSON.stringify(answer))
