import { describe, expect } from 'vitest'
import { testDestination } from '../../../sim/samBridge.ts'
import { SimProcess } from '../../../sim/simProcess.ts'
import { SimTcp } from '../../../sim/simTcp.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import type { Stream } from '../../../src/platform/tcp.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'
import { SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

/** What a bridge says to a line of a client. */
type Answer = (line: string, client: Stream) => string | null

/** A client whose I2P router is not what it should be, and how often the router was connected to. */
function clientOf(world: SimWorld, answer: Answer, onConnect: (client: Stream) => void = () => {}) {
  const host = world.host('router')
  const count = { connections: 0, open: 0 }
  new SimTcp(new SimProcess(world.network, host)).listen(
    { address: host.address, port: 7656 },
    (stream) => {
      count.connections++
      count.open++
      let said = ''
      stream.setHandler({
        onConnected: () => {},
        onDrain: () => {},
        onClosed: () => void count.open--,
        onData: (chunk) => {
          said += latin1(chunk)
          for (;;) {
            const end = said.indexOf('\n')
            if (end === -1) return
            const line = said.slice(0, end)
            said = said.slice(end + 1)
            const words = answer(line, stream)
            if (words !== null) stream.write(fromLatin1(words))
          }
        },
      })
      onConnect(stream)
    },
    () => {},
  )
  const torrent = new TestTorrent({ trackers: ['http://tracker.i2p/announce'] })
  const settings = { i2pHostname: host.address, i2pPort: 7656 }
  return { client: new SimClient(world, 'client', torrent, { settings }), count }
}

/** A bridge that does as it should up to where there is a session. */
const wellBehaved: Answer = (line) => {
  if (line.startsWith('HELLO')) return 'HELLO REPLY RESULT=OK VERSION=3.1\n'
  if (line.startsWith('SESSION')) return 'SESSION STATUS RESULT=OK DESTINATION=x\n'
  if (line === 'NAMING LOOKUP NAME=ME') return `NAMING REPLY RESULT=OK VALUE=${testDestination('me')}\n`
  if (line.startsWith('NAMING')) return `NAMING REPLY RESULT=OK VALUE=${testDestination('tracker')}\n`
  return line.startsWith('STREAM') ? 'STREAM STATUS RESULT=OK\n' : null
}

describe('a router', () => {
  for (const [name, words] of [
    ['that sends garbage', '\0\u00ff\n'.repeat(1000)],
    ['that never ends its line', 'x'.repeat(100_000)],
    ['that answers what was not asked', 'STREAM STATUS RESULT=OK\nSESSION STATUS RESULT=OK\n'],
    ['that says everything at once', 'HELLO REPLY RESULT=OK\nSESSION STATUS RESULT=OK\n'],
  ] as const) {
    scenario(`${name} is left, and tried again later and later`, (world) => {
      const { client, count } = clientOf(world, () => words)
      world.run({ minutes: 10 })
      expect(client.alerts('i2p').map(({ error }) => error.code)).toContain('parseFailed')
      expect(client.session.i2pAddress).toBe('')
      expect(count.connections).toBeLessThan(15)
      expect(count.open).toBe(0)
    })
  }

  scenario('that says nothing is waited for, and not for ever', (world) => {
    const { client, count } = clientOf(world, () => null)
    world.run({ minutes: 9 })
    expect(count).toEqual({ connections: 1, open: 1 })
    world.run({ minutes: 2 })
    expect(client.alerts('i2p')[0].error).toMatchObject({ code: 'timedOut', operation: 'proxy' })
    expect(count).toEqual({ connections: 2, open: 1 })
  })

  scenario('that ends each session at once is not asked for new ones in a loop', (world) => {
    const { client, count } = clientOf(world, (line, stream) => {
      if (line.startsWith('NAMING')) world.time.after(10, () => stream.destroy())
      return wellBehaved(line, stream)
    })
    world.run({ minutes: 30 })
    expect(client.alerts('i2p').length).toBeLessThan(20)
    expect(count.connections).toBeLessThan(60)
  })

  scenario('that refuses to wait for others is asked less and less often', (world) => {
    const { client, count } = clientOf(world, (line, stream) =>
      line.startsWith('STREAM ACCEPT') ? 'STREAM STATUS RESULT=I2P_ERROR\n' : wellBehaved(line, stream),
    )
    client.torrent.pause()
    world.run({ minutes: 30 })
    expect(client.session.i2pAddress).not.toBe('')
    expect(count.connections).toBeLessThan(30)
  })

  scenario('whose callers are nobody, or say nothing, costs what any stranger costs', (world) => {
    let accepted = 0
    const { client, count } = clientOf(world, (line, stream) => {
      if (!line.startsWith('STREAM ACCEPT')) return wellBehaved(line, stream)
      accepted++
      return accepted % 2 === 0
        ? `STREAM STATUS RESULT=OK\n${testDestination(`caller ${accepted}`)}\n`
        : 'STREAM STATUS RESULT=OK\nnobody\n'
    })
    client.torrent.pause()
    world.run({ minutes: 30 })
    expect(accepted).toBeLessThan(2 * 30 * 60)
    expect(count.open).toBeLessThan(10)
  })

  scenario('that answers for the tracker with an endless body is cut off', (world) => {
    const { client } = clientOf(world, (line, stream) => {
      if (!line.startsWith('STREAM CONNECT')) return wellBehaved(line, stream)
      const flood = `HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n${'x'.repeat(300_000)}`
      world.time.after(100, () => {
        for (let i = 0; i < 20; i++) stream.write(fromLatin1(i === 0 ? flood : 'x'.repeat(300_000)))
      })
      return 'STREAM STATUS RESULT=OK\n'
    })
    world.run({ minutes: 2 })
    expect(client.alerts('trackerError').at(-1)?.error.code).toBe('packetTooLarge')
  })

  scenario('whose tracker leads elsewhere is not followed', (world) => {
    const elsewhere = world.tracker('http://elsewhere.example/announce')
    const { client } = clientOf(world, (line, stream) => {
      if (!line.startsWith('STREAM CONNECT')) return wellBehaved(line, stream)
      const found = 'HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/announce\r\nContent-Length: 0\r\n\r\n'
      world.time.after(100, () => stream.write(fromLatin1(found)))
      return 'STREAM STATUS RESULT=OK\n'
    })
    world.run({ minutes: 1 })
    expect(client.alerts('trackerError').at(-1)?.error).toMatchObject({ category: 'http', value: 302 })
    expect(elsewhere.announces).toEqual([])
  })
})
