// SPDX-License-Identifier: AGPL-3.0-or-later
//
// HTTP signatures by the npm package @fedify/fedify: reads one job from standard input, prints one
// answer. $SHOAL_NPM_DIR is where npm packages are.
//
//   {url, body, keyId, owner, privateKey, publicKey (base64 of PKCS8 and SPKI),
//    request: {method, headers}}   -> {signed: {"draft-cavage…": headers, rfc9421: headers}, verified}
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.SHOAL_NPM_DIR + '/')
const load = name => import(pathToFileURL(require.resolve(name)))
const { signRequest, verifyRequest } = await load('@fedify/fedify/sig')
const { CryptographicKey } = await load('@fedify/vocab')

const job = JSON.parse(readFileSync(0, 'utf8'))
const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
const bytes = text => Buffer.from(text, 'base64')
const privateKey = await crypto.subtle.importKey('pkcs8', bytes(job.privateKey), algorithm, true, ['sign'])
const publicKey = await crypto.subtle.importKey('spki', bytes(job.publicKey), algorithm, true, ['verify'])

const signed = {}
for (const spec of ['draft-cavage-http-signatures-12', 'rfc9421']) {
  const request = new Request(job.url, { method: 'POST', body: job.body, headers: { 'content-type': 'application/activity+json' } })
  signed[spec] = Object.fromEntries((await signRequest(request, privateKey, new URL(job.keyId), { spec })).headers)
}

// The key's document says whose key it is.
const document = await new CryptographicKey({ id: new URL(job.keyId), owner: new URL(job.owner), publicKey }).toJsonLd()
const documentLoader = async url => ({ contextUrl: null, documentUrl: url, document })
const request = new Request(job.url, { method: 'POST', body: job.body, headers: job.request.headers })
const key = await verifyRequest(request, { documentLoader })
console.log(JSON.stringify({ signed, verified: key?.id?.href ?? '' }))
