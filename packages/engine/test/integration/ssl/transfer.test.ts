import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { PeerFlags } from '../../../src/torrent/peerInfo.ts'
import { Authority, openssl } from './authority.ts'
import { endCodes, openClient, poll, sslEndpoint, sslTorrent } from './sslSessions.ts'

test.each([
  ['a star certificate', ['*'], 'x'],
  ['a certificate for the name of the torrent', ['other', 'content'], 'x'],
  ['a certificate with the name as Common Name only', [], 'content'],
])('an SSL torrent is downloaded over TLS with %s', async (_, dnsNames, commonName) => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const certificate = authority.issue({ dnsNames, commonName })
  const seed = await openClient(content, { seeds: true, certificate })
  const client = await openClient(content, { certificate })
  client.torrent.connectPeer(sslEndpoint(seed))
  await poll(() => client.torrent.getPeerInfo().map(({ flags }) => (flags & PeerFlags.sslSocket) !== 0)).toEqual([true])
  await poll(() => client.torrent.isSeed).toBe(true)
  expect(client.alerts.filter(({ type }) => type === 'torrentNeedCert')).toHaveLength(1)
  const incoming = seed.alerts.filter((alert) => alert.type === 'incomingConnection')
  expect(incoming.map(({ socketType }) => socketType)).toEqual(['tcpSsl'])
})

test.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('an SSL torrent is downloaded over uTP, over %s', async (_, address) => {
  const authority = new Authority()
  const content = sslTorrent(authority, { size: 2_000_000 })
  const certificate = authority.issue()
  const host = address.includes(':') ? `[${address}]` : address
  const settings = {
    listenInterfaces: `${host}:0,${host}:0s`,
    enableOutgoingUtp: true,
    enableIncomingUtp: true,
    enableOutgoingTcp: false,
    enableIncomingTcp: false,
  }
  const seed = await openClient(content, { seeds: true, certificate, settings })
  const client = await openClient(content, { certificate, settings })
  client.torrent.connectPeer({ address, port: seed.session.sslListenPort })
  const both = PeerFlags.sslSocket | PeerFlags.utpSocket
  await poll(() => client.torrent.getPeerInfo().map(({ flags }) => flags & both)).toEqual([both])
  await poll(() => client.torrent.isSeed).toBe(true)
  const incoming = seed.alerts.filter((alert) => alert.type === 'incomingConnection')
  expect(incoming.map(({ socketType }) => socketType)).toEqual(['utpSsl'])
  // Who leaves says so: nobody waits for a timeout.
  await seed.session.abort()
  await poll(() => client.torrent.getPeerInfo()).toEqual([])
})

test('what fails below TLS is told as what it is', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const settings = { enableOutgoingUtp: true, enableOutgoingTcp: false, utpConnectTimeout: 100, utpSynResends: 2 }
  const client = await openClient(content, { certificate: authority.issue(), settings })
  client.torrent.connectPeer({ address: '127.0.0.1', port: 9 })
  const ends = () => client.alerts.filter((alert) => alert.type === 'peerDisconnected')
  await poll(() => ends().map(({ error: { code, operation } }) => `${code} ${operation}`)).toEqual([
    'ETIMEDOUT connect',
  ])
})

test('without a certificate an SSL torrent connects to nobody and lets nobody in', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const seed = await openClient(content, { seeds: true })
  const client = await openClient(content, { certificate: authority.issue() })
  client.torrent.connectPeer(sslEndpoint(seed))
  seed.torrent.connectPeer(sslEndpoint(client))
  await poll(() => endCodes(seed)).toEqual(['invalidInfoHash'])
  expect(seed.torrent.getPeerInfo()).toEqual([])
  // It is tried as soon as there is one.
  const { certificate, privateKey } = authority.issue()
  seed.torrent.setSslCertificateBuffer(certificate, privateKey)
  await poll(() => client.torrent.isSeed).toBe(true)
})

test('who has the torrent of the same name of another publisher finds nobody', async () => {
  const [authority, stranger] = [new Authority(), new Authority('publisher')]
  const content = sslTorrent(authority)
  const other = sslTorrent(stranger, { name: 'content' })
  const seed = await openClient(content, { seeds: true, certificate: authority.issue() })
  const client = await openClient(other, { certificate: stranger.issue() })
  client.torrent.connectPeer(sslEndpoint(seed))
  await poll(() => endCodes(seed)).toEqual(['invalidInfoHash'])
  expect(client.torrent.isSeed).toBe(false)
})

test('TLS to the plain port is no handshake', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const seed = await openClient(content, { seeds: true, certificate: authority.issue() })
  const client = await openClient(content, { certificate: authority.issue() })
  expect(seed.session.listenPort).not.toBe(seed.session.sslListenPort)
  client.torrent.connectPeer({ address: '127.0.0.1', port: seed.session.listenPort })
  await poll(() => endCodes(seed)).toEqual(['invalidInfoHash'])
  expect(client.torrent.isSeed).toBe(false)
})

test('what is wrong with a certificate is said when it is set', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const { torrent, alerts } = await openClient(content)
  const good = authority.issue()
  const locked = authority.issue({ passphrase: 'sesame' })
  const foreign = new Authority('other').issue()
  const named = authority.issue({ dnsNames: ['another'] })
  const set = (certificate: string, key: string, dhParams = '', passphrase = '') =>
    torrent.setSslCertificate(certificate, key, dhParams, passphrase).then(
      () => 'fine',
      (error) => `${error.code}: ${error.message}`,
    )
  const dhPath = authority.path('dh.pem')
  writeFileSync(dhPath, 'no parameters')
  expect(await set('/nowhere/cert.pem', good.privateKeyPath)).toMatch(/^ENOENT: .*\/nowhere\/cert\.pem/)
  expect(await set(good.certificatePath, '/nowhere/key.pem')).toMatch(/^ENOENT: .*\/nowhere\/key\.pem/)
  expect(await set(good.certificatePath, locked.privateKeyPath, '', 'sesame')).toMatch(
    /does not belong to the certificate/,
  )
  expect(await set(locked.certificatePath, locked.privateKeyPath)).toMatch(/a passphrase is needed/)
  expect(await set(locked.certificatePath, locked.privateKeyPath, '', 'wrong')).toMatch(/passphrase does not open/)
  expect(await set(good.privateKeyPath, good.privateKeyPath)).toMatch(/the certificate is no certificate/)
  expect(await set(good.certificatePath, good.certificatePath)).toMatch(/the private key is no key/)
  expect(await set(foreign.certificatePath, foreign.privateKeyPath)).toMatch(
    /^invalidSslCert: .*not signed by the root/,
  )
  expect(await set(named.certificatePath, named.privateKeyPath)).toMatch(/for another torrent/)
  expect(await set(good.certificatePath, good.privateKeyPath, dhPath)).toMatch(/Diffie-Hellman parameters are none/)
  await poll(() => alerts.filter(({ type }) => type === 'torrentError').length).toBe(10)
  expect(torrent.status().error).toBeNull()
  expect(await set(locked.certificatePath, locked.privateKeyPath, '', 'sesame')).toBe('fine')
  const resume = Buffer.from(await torrent.saveResumeData()).toString('latin1')
  for (const secret of ['PRIVATE KEY', 'sesame', locked.privateKeyPath]) expect(resume).not.toContain(secret)
})

test('old clients may exchange keys by Diffie-Hellman', async () => {
  const authority = new Authority()
  const content = sslTorrent(authority)
  const dhPath = authority.path('dh.pem')
  openssl(['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', dhPath])
  const { torrent } = await openClient(content)
  const { certificatePath, privateKeyPath } = authority.issue()
  await torrent.setSslCertificate(certificatePath, privateKeyPath, dhPath)
})

test('a torrent that is none takes no certificate', async () => {
  const { certificate, privateKey } = new Authority().issue()
  const { torrent } = await openClient(new TestTorrent())
  expect(() => torrent.setSslCertificateBuffer(certificate, privateKey)).toThrow('not an SSL torrent')
})

test('a torrent whose root certificate is broken is in error, and never becomes a plain one', async () => {
  const { certificate, privateKey } = new Authority().issue()
  const content = new TestTorrent({ sslCert: 'no certificate' })
  const { torrent } = await openClient(content)
  await poll(() => torrent.status().error?.code).toBe('invalidSslCert')
  expect(() => torrent.setSslCertificateBuffer(certificate, privateKey)).toThrow(/root certificate/)
  torrent.clearError()
  torrent.connectPeer({ address: '127.0.0.1', port: 9 })
  await poll(() => torrent.status().state).toBe('downloading')
  expect(torrent.getPeerInfo()).toEqual([])
})
