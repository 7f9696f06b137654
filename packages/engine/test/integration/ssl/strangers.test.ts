import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { encodeHandshake } from '../../../src/wire/handshake.ts'
import { Authority } from './authority.ts'
import { plainConnection, RawPeer, rawServer } from './rawPeer.ts'
import { endCodes, openClient, poll, sslTorrent } from './sslSessions.ts'

const SLOW = 20_000

async function scene() {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const certificate = authority.issue()
  const seed = await openClient(content, { seeds: true, certificate, settings: { handshakeTimeout: 2 } })
  const port = seed.session.sslListenPort
  const { infoHash } = content
  const rightly = { serverName: infoHash.toHex(), certificate, infoHash }
  return { authority, content, certificate, seed, port, infoHash, rightly }
}

type Scene = Awaited<ReturnType<typeof scene>>

test.each<[string, (scene: Scene) => ConstructorParameters<typeof RawPeer>[1], RegExp]>([
  ['who says nothing of a torrent', ({ rightly }) => ({ ...rightly, serverName: undefined }), /^ERR_SSL_NO_/],
  [
    'who asks for an unknown torrent',
    ({ rightly }) => ({ ...rightly, serverName: 'a'.repeat(40) }),
    /^invalidInfoHash$/,
  ],
  ['who asks for a host name', ({ rightly }) => ({ ...rightly, serverName: 'example.org' }), /^invalidInfoHash$/],
  [
    'who shows no certificate',
    ({ rightly }) => ({ ...rightly, certificate: undefined }),
    /^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/,
  ],
  [
    'whose certificate is of another authority',
    ({ rightly }) => ({ ...rightly, certificate: new Authority('publisher').issue() }),
    /^invalidSslCert$/,
  ],
  [
    'whose certificate is for another torrent',
    ({ rightly, authority }) => ({
      ...rightly,
      certificate: authority.issue({ dnsNames: ['Content', 'content2', 'c*', '*.content'] }),
    }),
    /^invalidSslCert$/,
  ],
  [
    'whose certificate is not valid any more',
    ({ rightly, authority }) => ({ ...rightly, certificate: authority.issue({ days: -1 }) }),
    /^invalidSslCert$/,
  ],
  [
    'who speaks TLS 1.1',
    ({ rightly }) => ({ ...rightly, tls: { maxVersion: 'TLSv1.1' } }),
    /^ERR_SSL_UNSUPPORTED_PROTOCOL$/,
  ],
])(
  '%s is not let in',
  async (_, options, code) => {
    const it = await scene()
    const peer = new RawPeer(it.port, options(it))
    expect(await peer.outcome).toBe('closed')
    await poll(() => endCodes(it.seed).join()).toMatch(code)
    expect(it.seed.torrent.getPeerInfo()).toEqual([])
    // And nobody is shut out because of it.
    expect(await new RawPeer(it.port, it.rightly).outcome).toBe('answered')
  },
  SLOW,
)

test.each(['TLSv1.2', 'TLSv1.3'] as const)('who does it right is let in by %s', async (version) => {
  const { port, rightly } = await scene()
  const peer = new RawPeer(port, { ...rightly, tls: { minVersion: version, maxVersion: version } })
  expect(await peer.outcome).toBe('answered')
})

test('the info-hash of the server name may have capital letters', async () => {
  const { port, rightly } = await scene()
  expect(await new RawPeer(port, { ...rightly, serverName: rightly.serverName.toUpperCase() }).outcome).toBe('answered')
})

test.each([
  ['another SSL torrent', true],
  ['a plain torrent', false],
])('a certificate for one torrent does not open the door to %s of the same session', async (_, ssl) => {
  const { authority, seed, port, rightly, certificate } = await scene()
  const other = ssl ? sslTorrent(authority, { name: 'other' }) : new TestTorrent({ name: 'other' })
  const handle = seed.session.addTorrent({ ti: other.info(), savePath: seed.torrent.savePath, autoManaged: false })
  if (ssl) handle.setSslCertificateBuffer(certificate.certificate, certificate.privateKey)
  await poll(() => handle.status().state).toBe('downloading')
  expect(await new RawPeer(port, { ...rightly, infoHash: other.infoHash }).outcome).toBe('closed')
  await poll(() => endCodes(seed)).toEqual(['invalidSslCert'])
})

test('a plain connection gets nothing of an SSL torrent, by neither port', async () => {
  const { seed, port, infoHash } = await scene()
  const hello = encodeHandshake({ infoHash: infoHash.bytes, peerId: new Uint8Array(20), reserved: new Uint8Array(8) })
  await plainConnection(seed.session.listenPort, hello)
  await poll(() => endCodes(seed)).toEqual(['requiresSslConnection'])
  await plainConnection(port, hello)
  await poll(() => endCodes(seed)).toEqual(['requiresSslConnection', 'ERR_SSL_WRONG_VERSION_NUMBER'])
})

test(
  'garbage in place of a TLS handshake ends the connection',
  async () => {
    const { seed, port } = await scene()
    const hello = [0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]
    for (const bytes of [[0], [0x16, 3, 1, 0xff, 0xff], hello.concat(Array(16_384).fill(0xff))]) {
      await plainConnection(port, Uint8Array.from(bytes))
    }
    await poll(() => endCodes(seed)).toHaveLength(3)
  },
  SLOW,
)

test(
  'no session is taken up again, neither with a certificate nor without',
  async () => {
    const { port, rightly, seed } = await scene()
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const limits = { minVersion: version, maxVersion: version }
      const first = new RawPeer(port, { ...rightly, tls: limits })
      expect(await first.outcome).toBe('answered')
      const session = first.socket.getSession()
      first.socket.destroy()
      await poll(() => seed.torrent.getPeerInfo()).toEqual([])
      const again = new RawPeer(port, { ...rightly, tls: { ...limits, session } })
      expect(await again.outcome).toBe('answered')
      expect(again.socket.isSessionReused()).toBe(false)
      again.socket.destroy()
      const bare = new RawPeer(port, { ...rightly, certificate: undefined, tls: { ...limits, session } })
      expect(await bare.outcome).toBe('closed')
    }
  },
  SLOW,
)

test('nothing is negotiated anew', async () => {
  const { port, rightly } = await scene()
  const peer = new RawPeer(port, { ...rightly, tls: { maxVersion: 'TLSv1.2' } })
  expect(await peer.outcome).toBe('answered')
  const refusal = new Promise<NodeJS.ErrnoException>((resolve) => peer.socket.once('error', resolve))
  peer.socket.renegotiate({}, () => {})
  expect((await refusal).code).toBe('ERR_SSL_NO_RENEGOTIATION')
})

test(
  'who dawdles over the handshake is dropped, and three hundred who do keep nobody out',
  async () => {
    const { seed, port, rightly } = await scene()
    const silent = Array.from({ length: 300 }, () => plainConnection(port, Uint8Array.of(0x16, 3)))
    await poll(() => endCodes(seed).length).toBeGreaterThan(50)
    expect(await new RawPeer(port, rightly).outcome).toBe('answered')
    await Promise.all(silent)
    const codes = new Set(endCodes(seed))
    expect([...codes].sort()).toEqual(['timedOutNoHandshake', 'tooManyConnections'])
  },
  SLOW,
)

test(
  'handshakes that would have to be computed are limited, for each address',
  async () => {
    const { port, rightly, seed } = await scene()
    const peers = Array.from({ length: 40 }, () => new RawPeer(port, { ...rightly, certificate: undefined }))
    await Promise.all(peers.map(({ outcome }) => outcome))
    const refusedEarly = () => endCodes(seed).filter((code) => code === 'invalidInfoHash').length
    await poll(refusedEarly).toBeGreaterThan(20)
  },
  SLOW,
)

test.each<[string, (authority: Authority) => Parameters<typeof rawServer>[0], string]>([
  ['of another authority', () => credentials(new Authority('publisher')), 'invalidSslCert'],
  ['for another torrent', (authority) => credentials(authority, ['other']), 'invalidSslCert'],
  ['that is not valid any more', (authority) => credentials(authority, ['*'], -1), 'invalidSslCert'],
])('a peer we connect to with a certificate %s is told nothing', async (_, options, code) => {
  const authority = new Authority()
  const client = await openClient(sslTorrent(authority), { certificate: authority.issue() })
  const server = await rawServer(options(authority))
  client.torrent.connectPeer({ address: '127.0.0.1', port: server.port })
  await poll(() => endCodes(client)).toEqual([code])
  expect(server.heard).toEqual([])
})

test('a peer we connect to is told the info-hash in small letters, and shown our certificate', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const client = await openClient(content, { certificate: authority.issue({ commonName: 'me' }) })
  const seen: string[] = []
  const server = await rawServer({
    ...credentials(authority),
    ca: authority.rootCert,
    requestCert: true,
    SNICallback: (name, done) => {
      seen.push(name)
      done(null)
    },
  })
  client.torrent.connectPeer({ address: '127.0.0.1', port: server.port })
  await poll(() => server.heard.length).toBeGreaterThan(0)
  expect(seen).toEqual([content.infoHash.toHex()])
  expect(server.heard[0].subarray(28, 48)).toEqual(Buffer.from(content.infoHash.bytes))
})

test('a peer we connect to that speaks no TLS is left', async () => {
  const authority = new Authority()
  const client = await openClient(sslTorrent(authority), { certificate: authority.issue() })
  const plain = await openClient(new TestTorrent())
  client.torrent.connectPeer({ address: '127.0.0.1', port: plain.session.listenPort })
  await poll(() => endCodes(client)).toHaveLength(1)
  expect(client.torrent.getPeerInfo()).toEqual([])
})

function credentials(authority: Authority, dnsNames = ['*'], days = 1): { cert: string; key: string } {
  const { certificate, privateKey } = authority.issue({ dnsNames, days })
  return { cert: certificate, key: privateKey }
}
