// SPDX-License-Identifier: AGPL-3.0-or-later
// A webtorrent peer in Node with WebRTC as its only transport. It reads commands from standard
// input, a JSON object a line, and prints events the same way; it ends with its input.
//   {"command":"download","torrent":path,"dir":path,"announce":[url]}
//   {"command":"seed","torrent":path,"dir":path,"announce":[url]}
// Events: {"event":"ready",…} seeding; {"event":"done","infohash":…,"sha256":…}.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { pathToFileURL } from 'node:url'

const modules = path.join(process.env.SHOAL_NPM_DIR, 'node_modules')
const load = async (...file) => (await import(pathToFileURL(path.join(modules, ...file)))).default
const say = event => console.log(JSON.stringify(event))

const version = process.argv[2]
globalThis.WRTC = await load('@roamhq', 'wrtc', 'lib', 'index.js')
const WebTorrent = await load(version === '1' ? 'webtorrent1' : 'webtorrent', 'index.js')

const client = new WebTorrent({
  dht: false,
  lsd: false,
  utp: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  webSeeds: false,
  tracker: { wrtc: globalThis.WRTC, rtcConfig: { iceServers: [] } } // STUN servers are of no use on loopback
})
client.on('error', err => say({ event: 'error', message: String(err.message || err) }))

function add ({ command, torrent, dir, announce }) {
  const t = client.add(fs.readFileSync(torrent), { path: dir, announce })
  const state = () => say({ event: 'progress', infohash: t.infoHash, downloaded: t.downloaded, received: t.received, peers: t.numPeers })
  t.on('warning', err => console.error(String(err.message || err)))
  t.on('wire', state)
  t.on('done', () => {
    state()
    if (command === 'seed') return say({ event: 'ready', infohash: t.infoHash })
    const hash = crypto.createHash('sha256')
    fs.createReadStream(path.join(dir, t.files[0].path)).on('data', d => hash.update(d)).on('end', () => {
      say({ event: 'done', infohash: t.infoHash, sha256: hash.digest('hex') })
    })
  })
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const c = JSON.parse(line)
  if (c.command === 'stats') {
    for (const t of client.torrents) {
      say({ event: 'stats', infohash: t.infoHash, downloaded: t.downloaded, received: t.received, peers: t.numPeers })
    }
    return say({ event: 'told' })
  }
  add(c)
// The WebRTC library does not let go of a process that exits in an orderly way.
}).on('close', () => process.kill(process.pid, 'SIGKILL'))
say({ event: 'started' })
