import dgram from 'node:dgram'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodePlatform } from '../../../src/node/nodePlatform.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, TrackerFailure, TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import { settings } from '../../unit/tracker/fakes.ts'
import { INFO_HASH, request } from '../../unit/tracker/requests.ts'
import { afterThisTest, httpServer } from './servers.ts'

let client: TrackerClient
beforeEach(() => {
  client = new TrackerClient({ platform: nodePlatform(), settings: settings() })
})
afterEach(() => client.close())

const announce = (url: string, changes: Partial<TrackerRequest> = {}) =>
  new Promise<AnnounceReply | TrackerFailure>((resolve) => {
    client.announce(request({ url, ...changes }), resolve)
  })

/** A UDP tracker that knows one peer; resolves to its port. */
async function udpTracker(type: 'udp4' | 'udp6', host: string): Promise<number> {
  const socket = dgram.createSocket(type)
  socket.on('message', (packet, from) => {
    const action = packet.readUInt32BE(8)
    const answer = Buffer.alloc(action === 0 ? 16 : 20)
    answer.writeUInt32BE(action, 0)
    packet.copy(answer, 4, 12, 16)
    if (action === 0) answer.write('8 bytes.', 8)
    else {
      if (packet.toString('latin1', 0, 8) !== '8 bytes.') return
      answer.writeUInt32BE(900, 8)
      answer.writeUInt32BE(1, 16)
    }
    const peer = type === 'udp4' ? [127, 0, 0, 7, 0, 80] : [...Buffer.alloc(15), 7, 0, 80]
    socket.send(action === 1 ? Buffer.concat([answer, Buffer.from(peer)]) : answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, host, resolve))
  afterThisTest(() => new Promise((resolve) => socket.close(() => resolve())))
  return socket.address().port
}

describe('over real sockets', () => {
  test('an HTTP tracker gets the announce and its gzipped answer is understood', async () => {
    let asked = ''
    const port = await httpServer((get, answer) => {
      asked = get.url ?? ''
      const body = Buffer.from('d8:intervali900e5:peers6:\x7f\x00\x00\x07\x00\x50e', 'latin1')
      answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body))
    })
    expect(await announce(`http://127.0.0.1:${port}/announce?passkey=1`)).toMatchObject({
      kind: 'reply',
      interval: 900,
      peers: [{ address: '127.0.0.7', port: 80 }],
    })
    const bytes = asked
      .replace(/.*info_hash=([^&]*).*/, '$1')
      .replace(/%(..)|./g, (text, hex) =>
        String.fromCharCode(hex === undefined ? text.charCodeAt(0) : Number.parseInt(hex, 16)),
      )
    expect(Buffer.from(bytes, 'latin1').equals(Buffer.from(INFO_HASH))).toBe(true)
    expect(asked).toMatch(/^\/announce\?passkey=1&info_hash=/)
  })

  test.each([
    ['udp4', '127.0.0.1', '127.0.0.1', '127.0.0.7'],
    ['udp6', '::1', '[::1]', '::7'],
  ] as const)('a %s tracker answers', async (type, host, inUrl, peer) => {
    const port = await udpTracker(type, host)
    expect(await announce(`udp://${inUrl}:${port}/announce`)).toMatchObject({
      kind: 'reply',
      interval: 900,
      complete: 1,
      peers: [{ address: peer, port: 80 }],
    })
  })

  test('a UDP tracker named localhost answers at whichever address it has', async () => {
    const port = await udpTracker('udp4', '127.0.0.1')
    expect(await announce(`udp://localhost:${port}`)).toMatchObject({ kind: 'reply' })
  }, 20_000)

  test('a tracker on this machine is only asked for /announce, whatever its name', async () => {
    let asked = 0
    const port = await httpServer((_, answer) => {
      asked++
      answer.end('de')
    })
    for (const url of [
      `http://127.0.0.1:${port}/admin`,
      `http://localhost:${port}/`,
      `http://0x7f.1:${port}/x/announce`,
    ]) {
      expect(await announce(url)).toMatchObject({ kind: 'failure', error: { code: 'ssrfMitigation' } })
    }
    expect(asked).toBe(0)
    expect(await announce(`http://localhost:${port}/announce`)).toMatchObject({ kind: 'reply' })
  })
})
