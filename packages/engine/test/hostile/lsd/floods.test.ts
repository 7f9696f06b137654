import { beforeEach, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { LocalDiscovery } from '../../../src/lsd/localDiscovery.ts'
import { decodeLsdAnnounce, encodeLsdAnnounce, LSD_GROUP_V4, LSD_PORT } from '../../../src/lsd/lsdMessage.ts'
import { DEFAULT_LSD_SETTINGS } from '../../../src/lsd/lsdSettings.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { FakeLocalNetwork } from '../../unit/portmap/fakes.ts'
import { FakeRandom, FakeTime } from '../../unit/tracker/fakes.ts'

const HASH = Sha1Hash.fromHex('0123456789abcdef0123456789abcdef01234567')
const hashes = (count: number) =>
  Array.from({ length: count }, (_, i) => Sha1Hash.fromHex((i + 1).toString(16).padStart(40, '0')))

let time: FakeTime
let network: FakeLocalNetwork
let lsd: LocalDiscovery
let heard: { readonly infoHash: Sha1Hash; readonly peer: Endpoint }[]

beforeEach(() => {
  time = new FakeTime()
  network = new FakeLocalNetwork(time)
  heard = []
  lsd = new LocalDiscovery({
    platform: { clock: time, timers: time, random: new FakeRandom(), localNetwork: network },
    settings: DEFAULT_LSD_SETTINGS,
    listenPort: () => 6881,
    onLocalPeer: (infoHash, peer) => heard.push({ infoHash, peer }),
    onLocalDiscoveryError: () => {},
  })
  lsd.start()
  time.pass(10)
})

const from = (address: string, port = LSD_PORT): Endpoint => ({ address, port })
const deliver = (packet: Uint8Array | string, source = from('192.168.1.7')) => network.deliver(LSD_PORT, packet, source)
const announce = (infoHashes = [HASH], port = 7000) => encodeLsdAnnounce(LSD_GROUP_V4, port, infoHashes, 'abc')

test('the scene: a neighbour is heard', () => {
  deliver(announce())
  expect(heard).toMatchObject([{ peer: { address: '192.168.1.7', port: 7000 } }])
  expect(heard[0].infoHash.equals(HASH)).toBe(true)
})

test('a hundred Infohash lines give no more peers than a packet should have', () => {
  deliver(fromLatin1(`BT-SEARCH * HTTP/1.1\r\nPort: 7000\r\n${`Infohash: ${HASH}\r\n`.repeat(100)}\r\n`))
  expect(heard.length).toBeLessThanOrEqual(32)
  deliver(encodeLsdAnnounce(LSD_GROUP_V4, 7000, hashes(36), 'abc'))
  expect(heard.length).toBeLessThanOrEqual(64)
})

test('a forged source port does not matter: the port is that of the announce', () => {
  deliver(announce(), from('192.168.1.7', 53))
  expect(heard).toMatchObject([{ peer: { port: 7000 } }])
})

test('our own announces, come back from the network, are ignored, with their cookie and without', () => {
  lsd.add(HASH)
  time.pass(1000)
  const { packet } = network.sent[0]
  deliver(packet, from('192.168.1.2'))
  deliver(packet, from('192.168.1.7'))
  deliver(latin1(packet).replace(/cookie.*\r\n/, ''), from('192.168.1.2'))
  expect(heard).toEqual([])
  // Another program on this machine is a neighbour.
  deliver(announce(), from('192.168.1.2'))
  expect(heard).toHaveLength(1)
})

test.each(['10.0.0.7', '8.8.8.8', '127.0.0.1', '192.168.2.7', 'fe80::7', '2001:db8::7'])(
  'what comes from %s, which is not of our network, is ignored',
  (address) => {
    deliver(announce(), from(address))
    expect(heard).toEqual([])
  },
)

test('one neighbour who floods is heard a few times a second, and does not silence the others', () => {
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 10_000; i++) deliver(announce())
    time.pass(1000)
  }
  expect(heard.length).toBeLessThanOrEqual(60 + 10 * 5)
  heard.length = 0
  deliver(announce(), from('192.168.1.8'))
  expect(heard).toHaveLength(1)
})

test('a flood from all addresses of the network is bounded too', () => {
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 10_000; i++) deliver(announce(), from(`192.168.1.${3 + (i % 250)}`))
    time.pass(1000)
  }
  expect(heard.length).toBeLessThanOrEqual(300 + 10 * 50 + 10)
})

test('nothing that is received makes anything be sent', () => {
  const sent = network.sent.length
  for (let i = 0; i < 1000; i++) deliver(announce(hashes(20)))
  time.pass(60_000)
  expect(network.sent).toHaveLength(sent)
})

const head = 'BT-SEARCH * HTTP/1.1\r\n'
test.each([
  ['no port', `${head}Infohash: ${HASH}\r\n\r\n`],
  ['port 0', `${head}Port: 0\r\nInfohash: ${HASH}\r\n\r\n`],
  ['port 65536', `${head}Port: 65536\r\nInfohash: ${HASH}\r\n\r\n`],
  ['a negative port', `${head}Port: -1\r\nInfohash: ${HASH}\r\n\r\n`],
  ['a port of a thousand digits', `${head}Port: ${'1'.repeat(1000)}\r\nInfohash: ${HASH}\r\n\r\n`],
  ['no info-hash', `${head}Port: 7000\r\n\r\n`],
  ['an info-hash of zeros', `${head}Port: 7000\r\nInfohash: ${'0'.repeat(40)}\r\n\r\n`],
  ['an info-hash that is none', `${head}Port: 7000\r\nInfohash: ${'g'.repeat(40)}\r\n\r\n`],
  ['an info-hash of 39 digits', `${head}Port: 7000\r\nInfohash: ${'1'.repeat(39)}\r\n\r\n`],
  ['another method', `M-SEARCH * HTTP/1.1\r\nPort: 7000\r\nInfohash: ${HASH}\r\n\r\n`],
  ['an answer', `HTTP/1.1 200 OK\r\nPort: 7000\r\nInfohash: ${HASH}\r\n\r\n`],
  ['no HTTP', `BT-SEARCH *\r\nPort: 7000\r\nInfohash: ${HASH}\r\n\r\n`],
  ['the lines after the end', `${head}\r\nPort: 7000\r\nInfohash: ${HASH}\r\n\r\n`],
  ['64 kB', `${head}Port: 7000\r\nInfohash: ${HASH}\r\n${'x: y\r\n'.repeat(10_000)}\r\n`],
  ['nothing', ''],
])('an announce with %s is none', (_, text) => {
  expect(decodeLsdAnnounce(fromLatin1(text))).toBeNull()
})

test('names and cases, bare line feeds and unknown lines are read as HTTP wants', () => {
  const text = `bt-search * http/1.1\nHOST:x\nX-Y: z\nno header\nPORT:7000\nINFOHASH:${HASH.toHex().toUpperCase()}\n`
  expect(decodeLsdAnnounce(fromLatin1(text))).toMatchObject({ port: 7000, cookie: null })
})
