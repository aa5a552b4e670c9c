// SPDX-License-Identifier: AGPL-3.0-or-later
// A small instance on the npm package @fedify/fedify, in memory, on 127.0.0.1: an Application
// "instance", a Person "alice" and a Group "channel", with videos and comments of its own. It reads
// commands from standard input, a JSON object a line:
//   {"n":1,"do":"follow","as":"instance","target":url or handle}
// and answers each with {"reply":1,…} or {"reply":1,"error":text}. Beside that it prints
//   {"event":"received",…}  for each POST to an inbox, with what Fedify says of its signatures
//   {"event":"fetched",…}   for each GET of one of its objects
//   {"event":"seen",…}      for each activity that passed Fedify's checks
// It ends with its input.
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import readline from 'node:readline'
import { CONTEXT, PUBLIC, VIDEO_CONTEXT, activity, collection, note, video } from './objects.mjs'

const require = createRequire(path.join(process.env.SHOAL_NPM_DIR, 'peer.cjs'))
const fedify = require('@fedify/fedify')
const vocab = require('@fedify/vocab')
const { getDocumentLoader } = require('@fedify/vocab-runtime')

const say = event => console.log(JSON.stringify(event))
const settings = JSON.parse(process.argv[2] || '{}')

const server = http.createServer()
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const host = new URL(origin).host

// What the instance knows.
const actors = { instance: 'Application', alice: 'Person', channel: 'Group' }
const keys = {}
const followers = { instance: new Map(), alice: new Map(), channel: new Map() }
const following = new Map() // id of our Follow -> {as, object, state}
const objects = new Map() // id -> JSON-LD, null once deleted
const files = new Map() // path -> bytes
const rates = new Map() // id of the Like or Dislike -> {type, actor, object}
const comments = new Map() // id of a Note by others -> {content, inReplyTo, attributedTo}
const outbox = []
const sent = new Map() // id -> each activity of ours
let answer = 'accept' // to a Follow: accept, reject or ignore

const documents = getDocumentLoader({ allowPrivateAddress: true })
const federation = fedify.createFederation({
  kv: new fedify.MemoryKvStore(),
  origin,
  allowPrivateAddress: true,
  signatureTimeWindow: { minutes: 30 }
})

const url = text => new URL(text)
const actorURL = who => `${origin}/actors/${who}`

federation
  .setActorDispatcher('/actors/{identifier}', async (ctx, who) => {
    const type = actors[who]
    if (!type) return null
    const pairs = await ctx.getActorKeyPairs(who)
    return new vocab[type]({
      id: ctx.getActorUri(who),
      preferredUsername: who,
      name: `The ${who} of ${host}`,
      summary: 'Made by Fedify for a test',
      url: ctx.getActorUri(who),
      inbox: ctx.getInboxUri(who),
      outbox: ctx.getOutboxUri(who),
      followers: ctx.getFollowersUri(who),
      following: ctx.getFollowingUri(who),
      endpoints: new vocab.Endpoints({ sharedInbox: ctx.getInboxUri() }),
      attributions: type === 'Group' ? [url(actorURL('alice'))] : [],
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: settings.proofs ? pairs.map(p => p.multikey) : []
    })
  })
  .mapHandle((_, name) => (actors[name] ? name : null))
  .setKeyPairsDispatcher(async (_, who) => {
    if (!actors[who]) return []
    keys[who] ??= [await fedify.generateCryptoKeyPair('RSASSA-PKCS1-v1_5')]
    if (settings.proofs && keys[who].length < 2) keys[who].push(await fedify.generateCryptoKeyPair('Ed25519'))
    return keys[who]
  })

federation.setFollowersDispatcher('/actors/{identifier}/followers', (_, who) => ({ items: [...followers[who].values()] }))
  .setCounter((_, who) => followers[who].size)
federation.setFollowingDispatcher('/actors/{identifier}/following', (_, who) => ({
  items: [...following.values()].filter(f => f.as === who && f.state === 'accepted').map(f => url(f.object))
})).setCounter((_, who) => [...following.values()].filter(f => f.as === who && f.state === 'accepted').length)
federation.setOutboxDispatcher('/actors/{identifier}/outbox', async (ctx, who, cursor) => {
  const mine = outbox.filter(a => a.actor === actorURL(who)).reverse()
  const from = cursor ? Number(cursor) : 0
  const items = await Promise.all(mine.slice(from, from + 2).map(a => vocab.Activity.fromJsonLd({ '@context': CONTEXT, ...a }, ctx)))
  return { items, nextCursor: from + 2 < mine.length ? String(from + 2) : null }
}).setFirstCursor(() => '0').setCounter((_, who) => outbox.filter(a => a.actor === actorURL(who)).length)
federation.setNodeInfoDispatcher('/nodeinfo/2.1', () => ({
  software: { name: 'fedtest', version: '1.0.0' },
  protocols: ['activitypub'],
  usage: { users: {}, localPosts: objects.size, localComments: 0 }
}))

// typed makes one of Fedify's objects of ours.
const typed = json => vocab.Object.fromJsonLd({ '@context': CONTEXT, ...json }, { documentLoader: documents, contextLoader: documents })
const context = () => federation.createContext(url(origin))

// send hands an activity to Fedify, which signs and posts it.
async function send (who, to, json, options = {}) {
  sent.set(json.id, { '@context': CONTEXT, ...json })
  await context().sendActivity({ identifier: who }, to, await typed(json), { immediate: true, ...options })
}

// post sends JSON-LD as it is, terms that Fedify has no class for included, signed by Fedify both ways.
async function post (who, to, json) {
  const pair = (await context().getActorKeyPairs(who))[0]
  const signed = await fedify.signJsonLd(json, pair.privateKey, pair.keyId, { contextLoader: documents })
  const inboxes = new Set(to.map(r => (r.endpoints?.sharedInbox ?? r.inboxId).href))
  for (const inbox of inboxes) {
    const request = new Request(inbox, {
      method: 'POST',
      headers: { 'content-type': 'application/activity+json' },
      body: JSON.stringify(signed)
    })
    const response = await fetch(await fedify.signRequest(request, pair.privateKey, pair.keyId))
    if (!response.ok) throw new Error(`${inbox} answered ${response.status}: ${await response.text()}`)
  }
}

// toFollowers are those who follow any of the three.
const toFollowers = () => [...new Map([...followers.instance, ...followers.alice, ...followers.channel]).values()]

// lookup gets and parses an object of another instance, signing the request as its Application.
async function lookup (target) {
  if (target.startsWith('@')) target = await finger(target.slice(1))
  const ctx = context()
  const documentLoader = await ctx.getDocumentLoader({ identifier: 'instance' })
  const found = await ctx.lookupObject(target, { documentLoader, contextLoader: documents })
  if (!found) throw new Error(`Fedify finds nothing at ${target}`)
  return found
}

// finger asks an instance for the id behind name@host. Fedify does so over https alone.
async function finger (handle) {
  const at = `http://${handle.split('@')[1]}/.well-known/webfinger?resource=acct:${handle}`
  const response = await fetch(at, { headers: { accept: 'application/jrd+json' } })
  if (!response.ok) throw new Error(`${at} answered ${response.status}`)
  const answer = await response.json()
  const link = answer.links.find(l => l.rel === 'self' && /activity\+json|ld\+json/.test(l.type))
  if (!link) throw new Error(`${at} names no actor`)
  return link.href
}

// owner is the account that a video or a comment is by.
async function owner (object) {
  for (const id of object.attributionIds) {
    // By its id: what is embedded may be no more than that.
    const found = await lookup(id.href)
    if (found instanceof vocab.Person) return found
  }
  throw new Error(`${object.id} is by no person`)
}

const seen = (kind, a) => say({ event: 'seen', type: kind, id: a.id?.href, actor: a.actorId?.href, object: a.objectId?.href })

federation.setInboxListeners('/actors/{identifier}/inbox', '/inbox')
  .setSharedKeyDispatcher(() => ({ identifier: 'instance' }))
  .on(vocab.Follow, async (ctx, a) => {
    const who = ctx.parseUri(a.objectId)?.identifier
    const follower = await a.getActor(ctx)
    if (!actors[who] || !follower) return
    if (answer === 'accept') followers[who].set(follower.id.href, follower)
    seen('Follow', a)
    if (answer === 'ignore') return
    const Answer = answer === 'accept' ? vocab.Accept : vocab.Reject
    await ctx.sendActivity({ identifier: who }, follower, new Answer({
      id: url(`${origin}/activities/${crypto.randomUUID()}`),
      actor: url(actorURL(who)),
      object: a
    }), { immediate: true })
  })
  .on(vocab.Accept, (_, a) => answered(a, 'accepted'))
  .on(vocab.Reject, (_, a) => answered(a, 'rejected'))
  .on(vocab.Undo, async (ctx, a) => {
    const undone = await a.getObject(ctx)
    if (undone instanceof vocab.Follow) followers[ctx.parseUri(undone.objectId)?.identifier]?.delete(a.actorId.href)
    rates.delete(undone?.id?.href)
    seen('Undo', a)
  })
  .on(vocab.Like, rated)
  .on(vocab.Dislike, rated)
  .on(vocab.Create, async (ctx, a) => {
    const object = await a.getObject({ ...ctx, documentLoader: documents, contextLoader: documents })
    if (object instanceof vocab.Note) {
      comments.set(object.id.href, {
        content: String(object.content),
        inReplyTo: object.replyTargetId?.href,
        attributedTo: object.attributionId?.href
      })
    }
    seen('Create', a)
  })
  .on(vocab.Delete, (_, a) => {
    comments.delete(a.objectId?.href)
    seen('Delete', a)
  })
  .on(vocab.Activity, (_, a) => seen(a.constructor.name, a))
  .onError((_, err) => console.error('inbox:', err))

async function answered (a, state) {
  const follow = await a.getObject({ documentLoader: documents, contextLoader: documents })
  const ours = following.get(follow?.id?.href)
  // Only whom we asked may answer.
  if (ours && a.actorId.href === ours.object) ours.state = state
  seen(a.constructor.name, a)
}

function rated (_, a) {
  rates.set(a.id.href, { type: a.constructor.name, actor: a.actorId.href, object: a.objectId.href })
  seen(a.constructor.name, a)
}

// The commands.
const commands = {
  async follow ({ as, target }) {
    const found = await lookup(target)
    const json = activity(origin, 'Follow', as, found.id.href, { to: undefined, cc: undefined })
    following.set(json.id, { as, object: found.id.href, state: 'pending' })
    await send(as, found, json)
    return { id: json.id }
  },
  async unfollow ({ as, target }) {
    const found = await lookup(target)
    for (const [id, f] of following) {
      if (f.as !== as || f.object !== found.id.href) continue
      following.delete(id)
      await send(as, found, activity(origin, 'Undo', as, { type: 'Follow', id, actor: actorURL(as), object: f.object }, { to: undefined, cc: undefined }))
    }
  },
  answer ({ with: text }) {
    answer = text
  },
  async publish ({ file, ...about }) {
    const bytes = fs.readFileSync(file)
    const v = video(origin, { ...about, file: bytes })
    files.set(`/files/${v.uuid}.mp4`, { bytes, type: 'video/mp4' })
    objects.set(v.id, { '@context': VIDEO_CONTEXT, ...v })
    const create = activity(origin, 'Create', 'alice', v.id)
    const announces = ['channel', 'instance'].map(who => activity(origin, 'Announce', who, v.id))
    outbox.push(create, ...announces)
    const to = [...followers.alice.values()]
    if (to.length) await post('alice', to, { '@context': VIDEO_CONTEXT, ...create, object: v })
    for (const a of announces) {
      const who = a.actor.split('/').pop()
      const readers = [...followers[who].values()]
      if (readers.length) await send(who, readers, a, { preferSharedInbox: true })
    }
    return { id: v.id, uuid: v.uuid }
  },
  async update ({ id, change }) {
    const v = { ...objects.get(id), ...change, updated: new Date().toISOString() }
    objects.set(id, v)
    const { '@context': _, ...bare } = v
    await post('alice', toFollowers(), { '@context': VIDEO_CONTEXT, ...activity(origin, 'Update', 'alice', bare) })
  },
  async remove ({ id }) {
    const o = objects.get(id)
    objects.set(id, null)
    const to = o?.type === 'Note' ? await audience(o) : toFollowers()
    await send('alice', to, activity(origin, 'Delete', 'alice', id, o?.type === 'Note' ? { object: { type: 'Tombstone', id } } : {}), { preferSharedInbox: true })
  },
  async rate ({ type, object }) {
    const person = await owner(await lookup(object))
    const json = activity(origin, type, 'alice', object, { cc: [person.id.href] })
    await send('alice', person, json, { preferSharedInbox: true })
    return { id: json.id }
  },
  async unrate ({ id, type, object }) {
    const person = await owner(await lookup(object))
    const inner = { type, id, actor: actorURL('alice'), object }
    await send('alice', person, activity(origin, 'Undo', 'alice', inner, { cc: [person.id.href] }), { preferSharedInbox: true })
  },
  async comment ({ inReplyTo, text }) {
    const person = await owner(await lookup(inReplyTo))
    const n = note(origin, inReplyTo, text, [`${actorURL('alice')}/followers`, person.id.href])
    objects.set(n.id, { '@context': CONTEXT, ...n })
    await send('alice', person, activity(origin, 'Create', 'alice', n, { cc: n.cc }), { preferSharedInbox: true })
    return { id: n.id }
  },
  async lookup ({ target }) {
    const found = await lookup(target)
    const json = await found.toJsonLd({ contextLoader: documents })
    return { type: found.constructor.name, id: found.id.href, name: found.name ? String(found.name) : '', json }
  },
  // raw posts an activity as it is given, signed by Fedify.
  async raw ({ as, target, json }) {
    await post(as, [await lookup(target)], json)
  },
  state () {
    return {
      followers: Object.fromEntries(Object.entries(followers).map(([who, m]) => [who, [...m.keys()]])),
      following: [...following].map(([id, f]) => ({ id, ...f })),
      rates: [...rates].map(([id, r]) => ({ id, ...r })),
      comments: [...comments].map(([id, c]) => ({ id, ...c }))
    }
  }
}

async function audience (n) {
  return [await owner(await lookup(n.inReplyTo))]
}

// The server. Fedify has its own routes; objects, files and collections are answered here.
files.set('/files/icon.jpg', { bytes: fs.readFileSync(settings.icon), type: 'image/jpeg' })

function own (pathname) {
  const id = origin + pathname
  if (files.has(pathname)) return files.get(pathname)
  if (pathname === '/.well-known/nodeinfo') {
    return {
      json: {
        links: [
          { rel: 'http://nodeinfo.diaspora.software/ns/schema/2.1', href: `${origin}/nodeinfo/2.1` },
          { rel: 'https://www.w3.org/ns/activitystreams#Application', href: actorURL('instance') }
        ]
      }
    }
  }
  if (sent.has(id)) return { json: sent.get(id) }
  if (objects.has(id)) return objects.get(id) ? { json: objects.get(id), fetched: true } : { status: 410 }
  const of = id.slice(0, id.lastIndexOf('/'))
  if (!objects.get(of)) return null
  const kind = id.slice(of.length + 1)
  const match = {
    likes: () => [...rates].filter(([, r]) => r.type === 'Like' && r.object === of).map(([i]) => i),
    dislikes: () => [...rates].filter(([, r]) => r.type === 'Dislike' && r.object === of).map(([i]) => i),
    shares: () => outbox.filter(a => a.type === 'Announce' && a.object === of).map(a => a.id),
    comments: () => [...comments].filter(([, c]) => c.inReplyTo === of).map(([i]) => i)
  }[kind]
  return match ? { json: collection(id, match()) } : null
}

async function signer (request) {
  const result = await fedify.verifyRequestDetailed(request, { documentLoader: documents, contextLoader: documents })
  return result.verified ? { verified: true, key: result.key.id.href } : { verified: false, reason: result.reason.type }
}

// verified tells whether an activity's own signature is its actor's. Fedify's verifyJsonLd throws for
// types that it has no class for, so this does the same with its parts.
async function verified (json) {
  const key = await fedify.verifySignature(json, { documentLoader: documents, contextLoader: documents })
  return key != null && key.ownerId?.href === (json.actor?.id ?? json.actor)
}

async function handle (request) {
  const { pathname } = new URL(request.url)
  if (request.method === 'GET') {
    const found = own(pathname)
    if (found) {
      if (found.fetched) say({ event: 'fetched', id: origin + pathname, http: await signer(request) })
      if (found.status) return new Response(null, { status: found.status })
      if (found.bytes) return new Response(found.bytes, { headers: { 'content-type': found.type } })
      return new Response(JSON.stringify(found.json), { headers: { 'content-type': 'application/activity+json' } })
    }
    return federation.fetch(request, { contextData: undefined })
  }
  const copy = request.clone()
  const text = await copy.text()
  const fresh = () => new Request(request.url, { method: request.method, headers: request.headers, body: text })
  const report = { event: 'received', path: pathname, http: await signer(fresh()), ld: 'none', standard: request.headers.has('signature-input') ? 'rfc9421' : 'cavage' }
  try {
    const json = JSON.parse(text)
    Object.assign(report, { id: json.id, type: json.type, actor: json.actor?.id ?? json.actor, json })
    report.object = typeof json.object === 'string' ? json.object : json.object?.id
    if (json.signature) {
      report.creator = json.signature.creator
      report.ld = (await verified(json)) ? 'verified' : 'bad'
    }
  } catch (err) {
    report.ld = `error: ${err.message}`
  }
  const response = await federation.fetch(request, { contextData: undefined })
  report.status = response.status
  say(report)
  return response
}

server.on('request', async (req, res) => {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const body = chunks.length ? Buffer.concat(chunks) : undefined
  try {
    const response = await handle(new Request(origin + req.url, { method: req.method, headers: req.headers, body }))
    res.writeHead(response.status, Object.fromEntries(response.headers))
    res.end(Buffer.from(await response.arrayBuffer()))
  } catch (err) {
    console.error(err)
    res.writeHead(500).end()
  }
})

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const { n, do: name, ...args } = JSON.parse(line)
  try {
    say({ reply: n, ...(await commands[name](args)) })
  } catch (err) {
    console.error(err)
    say({ reply: n, error: String(err.message || err) })
  }
}).on('close', () => process.exit(0))
say({ event: 'ready', url: origin, public: PUBLIC })
