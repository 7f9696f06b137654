import type { RequestListener } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { ProxyType } from '../../../src/settings/proxyType.ts'
import { realProxy } from '../proxy/proxies.ts'
import { Authority } from './authority.ts'
import { openClient, poll, type SslClient } from './sslSessions.ts'

/** A web server that speaks with those only whose certificate `clients` signed; null: with everybody. */
async function serverOf(
  owner: Authority,
  clients: Authority | null,
  answer: RequestListener,
): Promise<{ port: number; shown: string[] }> {
  const { certificate, privateKey } = owner.issue({ dnsNames: ['localhost'] })
  const shown: string[] = []
  const demand = clients === null ? null : { requestCert: true, rejectUnauthorized: true, ca: clients.rootCert }
  const server = https.createServer({ cert: certificate, key: privateKey, ...demand }, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate() ?? {}
    shown.push(`${(request.socket as TLSSocket & { servername: string }).servername} ${subject?.CN ?? 'nobody'}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return { port: (server.address() as AddressInfo).port, shown }
}

const ANSWER: RequestListener = (request, response) => {
  const isScrape = request.url?.startsWith('/scrape')
  response.end(isScrape ? 'd5:filesdee' : 'd8:intervali1800e5:peers0:e')
}

/** What became of the announces: codes of errors, and replies. */
function outcomes({ alerts }: SslClient): string[] {
  return alerts.flatMap((alert) => {
    if (alert.type === 'trackerReply') return ['reply']
    return alert.type === 'trackerError' ? [`${alert.error.code}: ${alert.error.message}`] : []
  })
}

const QUICK = { stopTrackerTimeout: 1 }

test('a tracker of an SSL torrent that its publisher vouches for is shown our certificate', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, publisher, ANSWER)
  const trackers = [`https://localhost:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const certificate = publisher.issue({ commonName: 'me' })
  const client = await openClient(content, { certificate, settings: QUICK })
  await poll(() => outcomes(client)).toEqual(['reply'])
  expect(tracker.shown).toEqual(['localhost me'])
  client.torrent.scrapeTracker()
  await poll(() => tracker.shown).toEqual(['localhost me', 'localhost me'])
})

test('a tracker that demands a certificate is asked again as soon as there is one', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, publisher, ANSWER)
  const trackers = [`https://localhost:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const client = await openClient(content, { settings: { ...QUICK, trackerBackoff: 100_000 } })
  await poll(() => outcomes(client).length).toBe(1)
  expect(outcomes(client)[0]).toMatch(/certificate required/)
  const { certificate, privateKey } = publisher.issue({ commonName: 'me' })
  client.torrent.setSslCertificateBuffer(certificate, privateKey)
  await poll(() => outcomes(client).at(-1)).toBe('reply')
  expect(tracker.shown).toEqual(['localhost me'])
})

test('without a certificate of ours a tracker that demands none is asked', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, null, ANSWER)
  const trackers = [`https://localhost:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const client = await openClient(content, { settings: QUICK })
  await poll(() => outcomes(client)).toEqual(['reply'])
})

test.each([true, false])(
  'a tracker of another authority is refused and told nothing, validateHttpsTrackers %s or not',
  async (validateHttpsTrackers) => {
    const publisher = new Authority()
    const tracker = await serverOf(new Authority('stranger'), null, ANSWER)
    const trackers = [`https://localhost:${tracker.port}/announce`]
    const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
    const settings = { ...QUICK, validateHttpsTrackers }
    const client = await openClient(content, { certificate: publisher.issue(), settings })
    await poll(() => outcomes(client).length).toBe(1)
    expect(outcomes(client)[0]).toMatch(
      /^invalidSslCert: invalid SSL certificate of the server: it is not signed by the torrent's root certificate/,
    )
    expect(tracker.shown).toEqual([])
  },
)

test('the certificate of a tracker must be for its name: that it is for the torrent does not count', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, null, ANSWER)
  const trackers = [`https://127.0.0.1:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const client = await openClient(content, { certificate: publisher.issue(), settings: QUICK })
  await poll(() => outcomes(client).length).toBe(1)
  expect(outcomes(client)[0]).toMatch(/^ERR_TLS_CERT_ALTNAME_INVALID: /)
})

test('the publisher of one torrent vouches for no tracker of another', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, publisher, ANSWER)
  const trackers = [`https://localhost:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const client = await openClient(content, { certificate: publisher.issue({ commonName: 'me' }), settings: QUICK })
  await poll(() => outcomes(client)).toEqual(['reply'])
  const plain = new TestTorrent({ name: 'plain', size: 1000, trackers })
  const handle = client.session.addTorrent({ ti: plain.info(), savePath: client.torrent.savePath, autoManaged: false })
  await poll(() => handle.trackers()[0].lastError?.code).toBe('SELF_SIGNED_CERT_IN_CHAIN')
  expect(tracker.shown).toEqual(['localhost me'])
})

test.each(['publisher', 'stranger'] as const)(
  'where a tracker sends us on to the %s it is the same torrent that trusts and is trusted',
  async (whom) => {
    const owners = { publisher: new Authority(), stranger: new Authority('stranger') }
    const { publisher } = owners
    const other = await serverOf(owners[whom], whom === 'publisher' ? publisher : null, ANSWER)
    const location = `https://localhost:${other.port}/announce`
    const tracker = await serverOf(publisher, publisher, (_, response) => response.writeHead(302, { location }).end())
    const trackers = [`https://localhost:${tracker.port}/announce`]
    const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
    const client = await openClient(content, { certificate: publisher.issue({ commonName: 'me' }), settings: QUICK })
    await poll(() => outcomes(client).length).toBe(1)
    if (whom === 'publisher') expect(outcomes(client)).toEqual(['reply'])
    else expect(outcomes(client)[0]).toMatch(/^invalidSslCert: /)
    expect(other.shown).toEqual(whom === 'publisher' ? ['localhost me'] : [])
  },
)

test('through a proxy it is the same', async () => {
  const publisher = new Authority()
  const tracker = await serverOf(publisher, publisher, ANSWER)
  const { proxy, port } = await realProxy({ kind: 'socks5' })
  const trackers = [`https://localhost:${tracker.port}/announce`]
  const content = new TestTorrent({ size: 1000, trackers, sslCert: publisher.rootCert })
  const settings = { ...QUICK, proxyType: ProxyType.socks5, proxyHostname: '127.0.0.1', proxyPort: port }
  const client = await openClient(content, { certificate: publisher.issue({ commonName: 'me' }), settings })
  await poll(() => outcomes(client)).toEqual(['reply'])
  expect(tracker.shown).toEqual(['localhost me'])
  expect(proxy.targets).toEqual([`localhost:${tracker.port}`])
})

const ranged =
  (content: TestTorrent): RequestListener =>
  (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const body = content.content.subarray(Number(from), Number(to) + 1)
    response.writeHead(206, {
      'content-range': `bytes ${from}-${to}/${content.content.length}`,
      'content-length': body.length,
    })
    response.end(body)
  }

test('a web seed of an SSL torrent is shown our certificate, and asked again when there is one', async () => {
  const publisher = new Authority()
  const content = new TestTorrent({ size: 100_000, sslCert: publisher.rootCert })
  const server = await serverOf(publisher, publisher, ranged(content))
  const client = await openClient(content, { settings: { urlseedWaitRetry: 100_000 } })
  client.torrent.addUrlSeed(`https://localhost:${server.port}/content`)
  await poll(() => client.alerts.filter(({ type }) => type === 'urlSeed')).toHaveLength(1)
  expect(client.torrent.isSeed).toBe(false)
  const { certificate, privateKey } = publisher.issue({ commonName: 'me' })
  client.torrent.setSslCertificateBuffer(certificate, privateKey)
  await poll(() => client.torrent.isSeed).toBe(true)
  expect(new Set(server.shown)).toEqual(new Set(['localhost me']))
})

test('a web seed of another authority gives an SSL torrent nothing', async () => {
  const publisher = new Authority()
  const content = new TestTorrent({ size: 100_000, sslCert: publisher.rootCert })
  const server = await serverOf(new Authority('stranger'), null, ranged(content))
  const client = await openClient(content, {
    certificate: publisher.issue(),
    settings: { validateHttpsTrackers: false },
  })
  client.torrent.addUrlSeed(`https://localhost:${server.port}/content`)
  const troubles = () => client.alerts.filter((alert) => alert.type === 'urlSeed').map(({ error }) => error.code)
  await poll(troubles).toEqual(['invalidSslCert'])
  expect(server.shown).toEqual([])
})
