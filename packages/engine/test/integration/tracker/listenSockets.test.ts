import dgram from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import { Session } from '../../../src/api/session.ts'
import { nodePlatform } from '../../../src/node/nodePlatform.ts'
import { ALONE } from '../../alone.ts'
import { afterThisTest, httpServer } from './servers.ts'

/** HTTP trackers at one port of both loopback addresses; `seen` gets the address and the port that were announced. */
async function httpTracker(seen: string[]): Promise<number> {
  for (;;) {
    const listener: Parameters<typeof httpServer>[0] = (request, answer) => {
      const parameters = new URL(request.url ?? '', 'http://t').searchParams
      if (parameters.get('event') === 'started') seen.push(`${request.socket.remoteAddress} ${parameters.get('port')}`)
      answer.end('d8:intervali1800e5:peers0:e')
    }
    const port = await httpServer(listener)
    try {
      await httpServer(listener, '::1', port)
      return port
    } catch {
      // Taken by somebody else: another one.
    }
  }
}

async function udpTracker(seen: string[]): Promise<number> {
  let port = 0
  for (const [type, host] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const socket = dgram.createSocket(type)
    socket.on('message', (packet, from) => {
      const action = packet.readUInt32BE(8)
      if (action === 1 && packet.readUInt32BE(80) === 2) seen.push(`${from.address} ${packet.readUInt16BE(96)}`)
      const answer = Buffer.alloc(action === 0 ? 16 : 20)
      packet.copy(answer, 0, 8, 16)
      if (action === 1) answer.writeUInt32BE(1800, 8)
      socket.send(answer, from.port, from.address)
    })
    await new Promise<void>((resolve) => socket.bind(port, host, resolve))
    afterThisTest(() => new Promise((resolve) => socket.close(() => resolve())))
    port = socket.address().port
  }
  return port
}

test.each([
  ['HTTP', httpTracker, (port: number) => `http://tracker.invalid:${port}/announce`],
  ['UDP', udpTracker, (port: number) => `udp://tracker.invalid:${port}`],
])('a %s tracker of both families is announced to from each listen socket', async (_, start, urlOf) => {
  const seen: string[] = []
  const url = urlOf(await start(seen))
  const savePath = mkdtempSync(join(tmpdir(), 'lt-families-'))
  const platform = nodePlatform()
  const { resolver } = platform
  const session = new Session({
    platform: {
      ...platform,
      resolver: {
        resolve(host, done) {
          if (host !== 'tracker.invalid') return resolver.resolve(host, done)
          setImmediate(done, ['127.0.0.1', '::1'])
          return () => {}
        },
      },
    },
    settings: { ...ALONE, listenInterfaces: '127.0.0.1:0,[::1]:0', alertMask: AlertCategory.all },
  })
  const errors: string[] = []
  session.on('trackerError', (alert) => errors.push(alert.message()))
  const replies: string[] = []
  const bothReplied = new Promise<void>((resolve) => {
    session.on('trackerReply', ({ localEndpoint }) => {
      replies.push(`${localEndpoint?.address} ${localEndpoint?.port}`)
      if (replies.length === 2) resolve()
    })
  })
  const torrent = new TestTorrent({ size: 1000, trackers: [url] })
  session.addTorrent({ ti: torrent.info(), savePath, autoManaged: false })
  await bothReplied
  expect(replies.sort()).toEqual([`127.0.0.1 ${session.listenPort}`, `::1 ${session.listenPort}`])
  expect(seen.sort()).toEqual(replies)
  await session.abort()
  expect(errors).toEqual([])
  rmSync(savePath, { recursive: true })
})
