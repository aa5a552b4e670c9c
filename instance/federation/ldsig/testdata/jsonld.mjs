// SPDX-License-Identifier: AGPL-3.0-or-later
//
// Linked Data signatures in JavaScript, with the npm package jsonld: reads one job from standard
// input, prints one answer. $SHOAL_NPM_DIR is where npm packages are.
//
//   {contexts: {url: document}, union: [...], major: 8|9, publicKey, privateKey, creator, created,
//    bodies: [...]}        -> {results: [{options, document, verified, compacted, signed, error}]}
//   {..., bench: rounds}   -> {milliseconds: [for each body, of one verification]}
import { createRequire } from 'node:module'
import { createHash, createSign, createVerify } from 'node:crypto'
import { readFileSync } from 'node:fs'

const require = createRequire(process.env.SHOAL_NPM_DIR + '/')
const job = JSON.parse(readFileSync(0, 'utf8'))
const jsonld = require(job.major === 9 ? 'jsonld9' : 'jsonld')
const algorithm = job.major === 9 ? 'RDFC-1.0' : 'URDNA2015'

// jsonld keeps parsed contexts by the identity of what was loaded, so each is loaded once.
const loaded = new Map()
for (const url in job.contexts) {
  loaded.set(url, { contextUrl: undefined, documentUrl: url, document: job.contexts[url], tag: 'static' })
}
const documentLoader = async url => {
  if (!loaded.has(url)) throw new Error('unknown context ' + url)
  return loaded.get(url)
}
const optionsContext = [
  'https://w3id.org/security/v1',
  { RsaSignature2017: 'https://w3id.org/security#RsaSignature2017' }
]

const normalize = document => jsonld.canonize(document, {
  safe: true, algorithm, format: 'application/n-quads', documentLoader
})
const sha256 = text => createHash('sha256').update(text).digest('hex')

async function hashes (body) {
  const { signature, ...document } = body
  const { type, id, signatureValue, ...options } = signature
  return {
    options: await normalize({ ...options, '@context': optionsContext }),
    document: await normalize(document),
    value: signatureValue
  }
}

const verify = h => createVerify('RSA-SHA256').update(sha256(h.options) + sha256(h.document)).verify(job.publicKey, h.value, 'base64')

// What a receiver does that reads all through its own context.
async function compact (body) {
  const compacted = await jsonld.compact(body, job.union, { documentLoader })
  const text = JSON.stringify(compacted).replaceAll('"as:Public"', '"https://www.w3.org/ns/activitystreams#Public"')
  return JSON.parse(text)
}

async function sign (body) {
  const signature = { type: 'RsaSignature2017', creator: job.creator, created: job.created }
  const h = await hashes({ ...body, signature })
  signature.signatureValue = createSign('RSA-SHA256').update(sha256(h.options) + sha256(h.document)).sign(job.privateKey, 'base64')
  return { ...body, signature }
}

async function check (body) {
  try {
    const h = await hashes(body)
    return {
      options: h.options,
      document: h.document,
      verified: verify(h),
      compacted: verify(await hashes(await compact(body))),
      signed: JSON.stringify(await sign({ ...body, signature: undefined }))
    }
  } catch (error) {
    return { error: error.message + ' ' + JSON.stringify(error.details ?? {}) }
  }
}

async function bench (body, rounds) {
  const text = JSON.stringify(body)
  const run = async n => {
    for (let i = 0; i < n; i++) {
      if (!verify(await hashes(JSON.parse(text)))) throw new Error('not verified')
    }
  }
  await run(rounds) // the compiler warms up
  const start = process.hrtime.bigint()
  await run(rounds)
  return Number(process.hrtime.bigint() - start) / 1e6 / rounds
}

if (job.bench) {
  const milliseconds = []
  for (const body of job.bodies) milliseconds.push(await bench(body, job.bench))
  console.log(JSON.stringify({ milliseconds }))
} else {
  const results = []
  for (const body of job.bodies) results.push(await check(body))
  console.log(JSON.stringify({ results }))
}
