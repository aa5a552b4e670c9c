// SPDX-License-Identifier: AGPL-3.0-or-later
// The client of the npm package bittorrent-tracker against a tracker: announce.mjs HTTP4 HTTP6 WS UNKNOWN,
// the announce URLs over HTTP (IPv4, IPv6) and WebSocket, and an infohash that the tracker refuses. Prints
// {"event":"case","name":…,"ok":…,"message":…} for each case and {"event":"ready"} after the last.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [http4, http6, ws, unknown] = process.argv.slice(2)
const modules = path.join(process.env.SHOAL_NPM_DIR, 'node_modules')
const { Client } = await import(pathToFileURL(path.join(modules, 'bittorrent-tracker', 'index.js')))
const { decode } = (await import(pathToFileURL(path.join(modules, 'bencode', 'index.js')))).default

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))

let made = 0
const hex = (s) => Buffer.from(s).toString('hex')
const newHash = () => hex(`hash-${String(++made).padStart(15, '0')}`)
const newPeer = () => hex(`-WW0201-${String(++made).padStart(12, '0')}`)

// What one case has open; all is destroyed when the case ends.
let open = []
let links = []
function client (announce, infoHash, more = {}) {
  const c = new Client({ infoHash, announce, peerId: newPeer(), port: 6881 + (++made % 1000), rtcConfig: { iceServers: [] }, ...more })
  c.failed = new Promise((resolve, reject) => {
    c.on('error', reject)
    if (!more.warnings) c.on('warning', reject)
  })
  c.failed.catch(() => {})
  c.on('peer', peer => {
    if (!peer.destroy) return // an address
    links.push(peer)
    peer.on('error', () => {}) // a case may end before it is connected
  })
  open.push(c)
  return c
}

// next is the client's next event of a kind; an error or a warning before it fails.
const next = (c, kind) => Promise.race([c.failed, new Promise(resolve => c.once(kind, resolve))])
const sleep = (ms) => new Promise(resolve => setTimeout(resolve, ms))
const destroyed = (c) => new Promise((resolve, reject) => c.destroy(err => err ? reject(err) : resolve()))

function equal (got, want, what) {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}
function counts (data, url, complete, incomplete) {
  equal(data.announce, url, 'announce')
  equal(data.complete, complete, 'complete')
  equal(data.incomplete, incomplete, 'incomplete')
}

async function start (url) {
  const c = client(url, newHash())
  c.start()
  counts(await next(c, 'update'), url, 0, 1)
}

async function startUpdateStop (url) {
  const c = client(url, newHash())
  c.start()
  counts(await next(c, 'update'), url, 0, 1)
  c.update()
  counts(await next(c, 'update'), url, 0, 1)
  c.stop()
  counts(await next(c, 'update'), url, 0, 0)
}

// The last announce still goes out, and nothing comes after the end.
async function stopDestroy (url) {
  const hash = newHash()
  const c = client(url, hash)
  c.start()
  await next(c, 'update')
  c.once('update', () => { c.late = true })
  c.stop()
  await destroyed(c)
  equal(c.late, undefined, 'an update after destroy')
  const other = client(url, hash)
  other.scrape()
  for (let data = await next(other, 'scrape'); data.incomplete !== 0; data = await next(other, 'scrape')) {
    await sleep(20)
    other.scrape()
  }
}

async function intervalUpdates (url) {
  const c = client(url, newHash())
  c.setInterval(100)
  c.start()
  c.setInterval(100)
  await next(c, 'update')
  c.setInterval(100)
  counts(await next(c, 'update'), url, 0, 1)
}

async function scrape (url) {
  const hash = newHash()
  const c = client(url, hash)
  c.scrape()
  const data = await next(c, 'scrape')
  counts(data, url, 0, 0)
  equal(data.infoHash, hash, 'infoHash')
  equal(data.downloaded, 0, 'downloaded')
}

async function unknownParameters (url) {
  const c = client(url, newHash(), { getAnnounceOpts: () => ({ testParam: 'of every announce', uploaded: 1 }) })
  c.start({ testParam: 'of this announce' })
  counts(await next(c, 'update'), url, 0, 1)
}

async function staticScrape (url) {
  const hash = newHash()
  const data = await new Promise((resolve, reject) => open.push(Client.scrape({ announce: url, infoHash: hash }, (err, data) => err ? reject(err) : resolve(data))))
  counts(data, url, 0, 0)
  equal(data.infoHash, hash, 'infoHash')
}

async function staticScrapeOfTwo (url) {
  const both = [newHash(), newHash()]
  const data = await new Promise((resolve, reject) => open.push(Client.scrape({ announce: url, infoHash: both }, (err, data) => err ? reject(err) : resolve(data))))
  for (const hash of both) {
    counts(data[hash], url, 0, 0)
    equal(data[hash].infoHash, hash, 'infoHash')
  }
}

async function rawScrapeOfTwo (url) {
  const both = [hex('binary-\xff\xfe%&+ -0001', 'latin1'), newHash()].map(h => Buffer.from(h, 'hex').subarray(0, 20))
  const escape = (b) => [...b].map(c => '%' + c.toString(16).padStart(2, '0')).join('')
  const res = await fetch(url.replace('/announce', '/scrape') + '?' + both.map(h => 'info_hash=' + escape(h)).join('&'))
  equal(res.status, 200, 'status')
  const { files } = decode(new Uint8Array(await res.arrayBuffer()))
  equal(Object.keys(files).length, 2, 'files')
}

async function refused (url) {
  const bad = client(url, unknown, { warnings: true })
  bad.start()
  const warning = await next(bad, 'warning')
  if (!warning.message.includes(`Unknown infoHash ${unknown}`)) throw new Error(`the refusal says ${warning.message}`)
  await destroyed(bad)
  const good = client(url, newHash())
  good.start()
  counts(await next(good, 'update'), url, 0, 1)
}

// A seeder and leechers come, complete and go; everyone hears of it and of each other.
async function life (url) {
  const hash = newHash()
  const a = client(url, hash)
  a.start()
  counts(await next(a, 'update'), url, 0, 1)
  a.complete()
  counts(await next(a, 'update'), url, 1, 0)
  a.scrape()
  const data = await next(a, 'scrape')
  counts(data, url, 1, 0)
  equal(data.downloaded, 1, 'downloaded')
  const b = client(url, hash)
  const peer = next(b, 'peer')
  b.start()
  counts(await next(b, 'update'), url, 1, 1)
  await peer // an address, or a WebRTC connection whose offer was answered through the tracker
  const c = client(url, hash)
  c.start()
  counts(await next(c, 'update'), url, 1, 2)
  c.stop()
  counts(await next(c, 'update'), url, 1, 1)
  b.stop()
  counts(await next(b, 'update'), url, 1, 0)
}

async function numwant (url) {
  const hash = newHash()
  const all = [client(url, hash), client(url, hash), client(url, hash)]
  for (const c of all) {
    c.start()
    await next(c, 'update')
  }
  const c = client(url, hash)
  let peers = 0
  c.on('peer', () => peers++)
  c.start({ numwant: 2 })
  await next(c, 'update')
  await sleep(0)
  equal(peers, 2, 'peers')
}

// Clients of one process share the WebSocket.
async function pool (url) {
  const a = client(url, newHash())
  a.start()
  await next(a, 'update')
  const b = client(url, newHash())
  b.start()
  await next(b, 'update')
  await destroyed(a)
  b.update()
  counts(await next(b, 'update'), url, 0, 1)
  await destroyed(b)
}

// A whole WebRTC connection between two clients.
async function connect (url) {
  const hash = newHash()
  const a = client(url, hash)
  a.start()
  await next(a, 'update')
  const b = client(url, hash)
  const peers = Promise.all([next(a, 'peer'), next(b, 'peer')])
  b.start()
  const [pa, pb] = await peers
  await Promise.all([pa, pb].map(p => p.connected || new Promise((resolve, reject) => { p.once('connect', resolve); p.once('error', reject) })))
  pa.send('over the data channel')
  equal(Buffer.from(await new Promise(resolve => pb.once('data', resolve))).toString(), 'over the data channel', 'data')
}

const both = { start, startUpdateStop, stopDestroy, intervalUpdates, scrape, unknownParameters, staticScrape, staticScrapeOfTwo, refused, life }
const cases = []
for (const [name, run] of Object.entries(both)) {
  for (const [kind, url] of [['http', http4], ['http over IPv6', http6], ['ws', ws]]) cases.push([`${kind}: ${name}`, run, url])
}
cases.push(['http: numwant', numwant, http4], ['http: rawScrapeOfTwo', rawScrapeOfTwo, http4], ['ws: pool', pool, ws], ['ws: connect', connect, ws])

for (const [name, run, url] of cases) {
  let message = ''
  try {
    await Promise.race([run(url), sleep(20000).then(() => { throw new Error('it took more than 20 s') })])
  } catch (err) {
    message = err.message || String(err)
  }
  for (const one of [...open, ...links]) if (!one.destroyed) one.destroy()
  open = []
  links = []
  console.log(JSON.stringify({ event: 'case', name, ok: message === '', message }))
}
console.log(JSON.stringify({ event: 'ready' }))
