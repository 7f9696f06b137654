import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { type TrackerAnnounce, TrackerServer } from '../../../src/api/trackerServer.ts'
import { nodePlatform } from '../../../src/node/nodePlatform.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, ScrapeReply, TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import { settings } from '../../unit/tracker/fakes.ts'
import { INFO_HASH, request } from '../../unit/tracker/requests.ts'
import { peerId } from '../../unit/trackerServer/scene.ts'
import { openTracker, RawClient } from './servers.ts'

const hasV6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

function openClient() {
  const client = new TrackerClient({ platform: nodePlatform(), settings: settings() })
  onTestFinished(() => client.close())
  const announce = (changes: Partial<TrackerRequest>) =>
    new Promise<AnnounceReply>((resolve, reject) => {
      client.announce(request(changes), (result) => (result.kind === 'reply' ? resolve(result) : reject(result)))
    })
  const scrape = (url: string) =>
    new Promise<ScrapeReply>((resolve, reject) => {
      client.scrape({ url, infoHash: INFO_HASH }, (result) =>
        result.kind === 'scrape' ? resolve(result) : reject(result),
      )
    })
  return { announce, scrape }
}

const families = hasV6 ? (['127.0.0.1', '::1'] as const) : (['127.0.0.1'] as const)

for (const host of families) {
  test.each(['http', 'udp'])(
    `our own client and the tracker understand each other over %s at ${host}`,
    async (scheme) => {
      const tracker = await openTracker({ hosts: [host] })
      const { announce, scrape } = openClient()
      const url = tracker.urls(host).find((text) => text.startsWith(scheme)) ?? ''
      const seed = await announce({ url, peerId: peerId(1), port: 7001, left: 0 })
      expect(seed).toMatchObject({ complete: 1, incomplete: 0, interval: 1800, peers: [], trackerAddress: host })
      const leech = await announce({ url, peerId: peerId(2), port: 7002, left: 5 })
      expect(leech).toMatchObject({ complete: 1, incomplete: 1, peers: [{ address: host, port: 7001 }] })
      await announce({ url, peerId: peerId(2), port: 7002, left: 0, event: 'completed' })
      expect(await scrape(url)).toMatchObject({ complete: 2, incomplete: 0, downloaded: 1 })
      await announce({ url, peerId: peerId(1), port: 7001, left: 0, event: 'stopped', numWant: 0 })
      expect(await scrape(url)).toMatchObject({ complete: 1 })
      expect(tracker.stats()).toMatchObject({ torrents: 1, peers: 1, announces: 4, scrapes: 2 })
    },
  )
}

test('by default it listens on all addresses of both families, for all protocols, on one port', async () => {
  const tracker = new TrackerServer({ port: 0 })
  onTestFinished(() => tracker.close())
  await tracker.ready
  const { port } = tracker
  const expected = ['http 0.0.0.0', 'ws 0.0.0.0', 'udp 0.0.0.0', ...(hasV6 ? ['http [::]', 'ws [::]', 'udp [::]'] : [])]
  expect(tracker.listening).toEqual(expected.map((text) => `${text}:${port}`))
  const urls = ['http', 'ws', 'udp'].map((scheme) => `${scheme}://[fd00::1]:${port}/announce`)
  expect(tracker.urls('fd00::1')).toEqual(urls)
})

test('a protocol that is off is not listened for', async () => {
  const tracker = await openTracker({ http: false })
  expect(tracker.listening).toEqual([`udp 127.0.0.1:${tracker.port}`])
  const client = new RawClient(tracker.port)
  await client.closed
  expect(client.received).toBe('')
})

test('a port that is taken, by either protocol, is an error and leaves nothing open', async () => {
  const taken = createSocket('udp4')
  onTestFinished(() => void taken.close())
  const port = await new Promise<number>((resolve) => taken.bind(0, '127.0.0.1', () => resolve(taken.address().port)))
  await expect(openTracker({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve())
  })
})

test.each([
  [{ port: 70_000 }, '70000 is no port'],
  [{ http: false, udp: false }, 'a tracker needs a protocol'],
  [{ interval: 0 }, 'tracker option interval is 0; it must be from 1'],
  [{ minInterval: 100, interval: 10 }, 'tracker option minInterval'],
  [{ maxNumWant: 5000 }, 'tracker option maxNumWant'],
  [{ allowed: ['abc'] }, 'an info-hash is 40 or 64 hexadecimal digits, not "abc"'],
])('options that make no sense are refused at once: %j', (options, words) => {
  expect(() => new TrackerServer(options)).toThrow(words)
})

test('a connection serves one request after the other, pipelined ones too', async () => {
  const tracker = await openTracker({ udp: false })
  const client = new RawClient(tracker.port)
  const get = 'GET /scrape HTTP/1.1\r\nHost: x\r\n\r\n'
  client.send(get)
  await client.receives(/failure/)
  client.send(get + get)
  expect(await client.receives(/(failure[\s\S]*){3}/)).toMatch(/^(HTTP\/1\.1 200 OK[\s\S]*){3}$/)
  client.send('GET /scrape HTTP/1.0\r\n\r\n')
  await client.closed
})

test('events tell of announces while somebody listens', async () => {
  const tracker = await openTracker()
  const { announce } = openClient()
  const [url] = tracker.urls('127.0.0.1')
  const heard: TrackerAnnounce[] = []
  const listener = (event: TrackerAnnounce) => void heard.push(event)
  tracker.on('announce', listener)
  await announce({ url, left: 0, port: 5, event: 'completed' })
  tracker.off('announce', listener)
  await announce({ url, left: 0, port: 6 })
  expect(heard).toEqual([
    {
      infoHash: Buffer.from(INFO_HASH).toString('hex'),
      address: '127.0.0.1',
      port: 5,
      event: 'completed',
      isSeed: true,
      complete: 1,
      incomplete: 0,
    },
  ])
})

test('torrents can be allowed and disallowed while it runs', async () => {
  const tracker = await openTracker({ allowed: [] })
  const { announce } = openClient()
  const [url] = tracker.urls('127.0.0.1')
  await expect(announce({ url })).rejects.toMatchObject({ message: 'this torrent is not served here' })
  tracker.allow(Buffer.from(INFO_HASH).toString('hex'))
  expect(await announce({ url })).toMatchObject({ incomplete: 1 })
  tracker.disallow(Buffer.from(INFO_HASH).toString('hex'))
  await expect(announce({ url })).rejects.toMatchObject({ kind: 'failure' })
})

test('close ends within a second whatever clients do, twice does no harm, and the port is free afterwards', async () => {
  const tracker = await openTracker()
  const idle = new RawClient(tracker.port)
  const half = new RawClient(tracker.port)
  await Promise.all([idle.connected, half.connected])
  half.send('GET /announce HTTP/1.1\r\nHost:')
  const begin = performance.now()
  const { port } = tracker
  await Promise.all([tracker.close(), tracker.close()])
  expect(performance.now() - begin).toBeLessThan(1000)
  await Promise.all([idle.closed, half.closed])
  expect(tracker.listening).toEqual([])
  const next = await openTracker({ port })
  expect(next.port).toBe(port)
})

test('closed before it was open it does not stay open', async () => {
  const tracker = new TrackerServer({ port: 0, hosts: ['127.0.0.1'] })
  const ready = tracker.ready
  await tracker.close()
  await expect(ready).rejects.toMatchObject({ code: 'ECANCELED' })
})
