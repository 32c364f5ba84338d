// Encryption by the npm package jose beside the crate chancery-jose: `crates/jose/tests/jwe_interop.rs` starts this,
// writes one JSON text to its standard input and reads one from its standard output.
//
// In:  { ours: [{ alg, enc, privateJwk?, publicJwk?, secret?, jwe }] }
// Out: { ours: [{ plaintext, header, theirJwe }], theirs: [{ alg, privateJwk, jwe }] }
import * as jose from 'jose'

const plaintext = new TextEncoder().encode('{"sub":"älice"}')
const secretOf = (text) => jose.base64url.decode(text)

const encrypt = (alg, enc, kid, key) =>
  new jose.CompactEncrypt(plaintext).setProtectedHeader({ alg, enc, kid, cty: 'JWT', typ: 'x' }).encrypt(key)

async function checkOurs({ alg, enc, privateJwk, publicJwk, secret, jwe }) {
  const decrypting = secret ? secretOf(secret) : await jose.importJWK(privateJwk, alg)
  const encrypting = secret ? decrypting : await jose.importJWK(publicJwk, alg)
  const decrypted = await jose.compactDecrypt(jwe, decrypting)
  return {
    plaintext: new TextDecoder().decode(decrypted.plaintext),
    header: decrypted.protectedHeader,
    theirJwe: await encrypt(alg, enc, publicJwk?.kid, encrypting),
  }
}

async function makeTheirs({ alg, enc, publicJwk }) {
  const crv = publicJwk?.crv
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true, crv })
  return { alg, privateJwk: await jose.exportJWK(privateKey), jwe: await encrypt(alg, enc, 'theirs', publicKey) }
}

let input = ''
for await (const chunk of process.stdin) input += chunk
const { ours } = JSON.parse(input)
const answer = { ours: [], theirs: [] }
for (const one of ours) {
  answer.ours.push(
    await checkOurs(one).catch((error) => {
      throw new Error(`${one.alg} ${one.enc}: ${error}`, { cause: error })
    }),
  )
}
const seen = new Set()
for (const one of ours) {
  const kind = `${one.alg} ${one.publicJwk?.crv}`
  if (one.secret || seen.has(kind)) continue
  seen.add(kind)
  answer.theirs.push(await makeTheirs(one))
}
process.stdout.write(JSON.stringify(answer))
