// SPDX-License-Identifier: AGPL-3.0-or-later
// The WebSocket tracker of an npm package, named as the argument, on a free loopback port. Prints
// {"event":"ready","url":…} and runs until its standard input ends.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = path.join(process.env.SHOAL_NPM_DIR, 'node_modules')
const { Server } = await import(pathToFileURL(path.join(modules, process.argv[2], 'index.js')))

const server = new Server({ udp: false, http: false, ws: true, stats: false })
server.on('error', err => console.error(err.message))
server.on('warning', err => console.error(err.message))
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'ready', url: `ws://127.0.0.1:${server.ws.address().port}` }))
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
