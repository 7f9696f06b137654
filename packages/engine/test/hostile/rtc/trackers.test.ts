import { beforeEach, describe, expect, test } from 'vitest'
import { libtorrentError } from '../../../src/errors/libtorrentError.ts'
import { WebTrackers } from '../../../src/rtc/webTrackers.ts'
import { parseTrackerUrl, type TrackerLocation } from '../../../src/tracker/trackerLocation.ts'
import { latin1 } from '../../../src/util/bytes.ts'
import { FakeChannel, FakeRtcHost, offerIdOf, peerIdOf, sdp } from '../../unit/rtc/fakeWebRtc.ts'
import { INFO_HASH, PEER_ID, request } from '../../unit/tracker/requests.ts'

const HASH = latin1(INFO_HASH)

let host: FakeRtcHost
let trackers: WebTrackers

beforeEach(() => {
  host = new FakeRtcHost()
  trackers = new WebTrackers(host)
})

/** Announces torrent number `n` to a tracker, with as many offers as it may make, and has it answered. */
function join(n = 0, url = 'wss://evil.example/', numWant = 0): string {
  const infoHash = Uint8Array.from(INFO_HASH, (byte, i) => (i === 0 ? n : byte))
  const made = host.webRtc.peers.length
  const location = parseTrackerUrl(url) as TrackerLocation
  trackers.announce(
    location,
    request({ url, infoHash, numWant }),
    { localAddress: undefined, family: undefined },
    () => {},
    () => {},
  )
  host.time.pass(1)
  host.webRtc.socket.open()
  for (const peer of host.webRtc.peers.slice(made)) peer.gathered()
  host.time.pass(1)
  host.webRtc.socket.says({ action: 'announce', info_hash: latin1(infoHash), interval: 60 })
  return latin1(infoHash)
}

const offer = (id: number, changes: Record<string, unknown> = {}) => ({
  action: 'announce',
  info_hash: HASH,
  offer_id: offerIdOf(id),
  peer_id: peerIdOf(`peer ${id}`),
  offer: { type: 'offer', sdp: sdp('198.51.100.9') },
  ...changes,
})

const sentAnswers = () => host.webRtc.sockets.flatMap(({ sent }) => sent).filter((message) => 'answer' in message)

describe('a tracker', () => {
  test('that floods a torrent with offers gets as many connections begun as the setting allows', () => {
    host.settings.maxWebtorrentOffers = 7
    const infoHash = join()
    for (let id = 0; id < 10_000; id++) host.webRtc.socket.says(offer(id, { info_hash: infoHash }))
    expect(host.webRtc.open).toHaveLength(7)
  })

  test('that floods all torrents gets fifty, and five a second from then on, however short they live', () => {
    const hashes = Array.from({ length: 40 }, (_, n) => join(n))
    for (let id = 0; id < 10_000; id++) host.webRtc.socket.says(offer(id, { info_hash: hashes[id % 40] }))
    expect(host.webRtc.open).toHaveLength(50)
    for (const peer of host.webRtc.open) peer.fails(libtorrentError('timedOut'))
    host.time.pass(10_000)
    for (let id = 20_000; id < 30_000; id++) host.webRtc.socket.says(offer(id, { info_hash: hashes[id % 40] }))
    expect(host.webRtc.peers).toHaveLength(100)
  })

  test('has company: all together get two hundred, our own offers counted', () => {
    const urls = Array.from({ length: 8 }, (_, n) => `wss://evil${n}.example/`)
    let id = 0
    for (const [t, url] of urls.entries()) {
      const hashes = Array.from({ length: 10 }, (_, n) => join(t * 10 + n, url, 10))
      for (let i = 0; i < 500; i++) host.webRtc.socket.says(offer(id++, { info_hash: hashes[i % 10] }))
    }
    expect(host.webRtc.open.length).toBeLessThanOrEqual(200)
    const ours = host.webRtc.open.filter(({ calls }) => calls[0] === 'offer').length
    expect(ours).toBeLessThanOrEqual(100)
  })

  test.each([
    ['no JSON', '{"action":'],
    ['nothing', ''],
    ['a list', '[1,2,3]'],
    ['null', 'null'],
    ['deep nesting', '['.repeat(60_000)],
    ['zeros', '\0'.repeat(1000)],
    ['an offer without an id', JSON.stringify(offer(1, { offer_id: undefined }))],
    ['an offer whose id is too short', JSON.stringify(offer(1, { offer_id: 'short' }))],
    ['an offer whose id is too long', JSON.stringify(offer(1, { offer_id: 'x'.repeat(21) }))],
    ['an offer whose id is no bytes', JSON.stringify(offer(1, { offer_id: '\u{1f600}'.repeat(10) }))],
    ['an offer whose id is a number', JSON.stringify(offer(1, { offer_id: 5 }))],
    ['an offer of nobody', JSON.stringify(offer(1, { peer_id: null }))],
    ['an offer for no torrent', JSON.stringify(offer(1, { info_hash: 'x' }))],
    ['an offer without a description', JSON.stringify(offer(1, { offer: {} }))],
    ['an offer with a description too long', JSON.stringify(offer(1, { offer: { sdp: 'x'.repeat(70_000) } }))],
  ])('that sends %s twenty times in a row is left', (_what, message) => {
    join()
    for (let i = 0; i < 19; i++) host.webRtc.socket.says(message)
    expect(host.webRtc.socket.isClosed).toBe(false)
    host.webRtc.socket.says(message)
    expect(host.webRtc.socket.isClosed).toBe(true)
    expect(host.webRtc.peers).toEqual([])
    expect(host.lost).toHaveLength(1)
  })

  test('that does not take what we send is left', () => {
    join()
    host.webRtc.socket.unsentBytes = 2_000_000
    host.webRtc.socket.says(offer(1))
    host.webRtc.open[0].gathered()
    expect(host.webRtc.socket.isClosed).toBe(true)
  })

  test.each([
    ['another torrent', { info_hash: 'x'.repeat(20) }],
    ['ourselves', { peer_id: latin1(PEER_ID) }],
    ['sound and pictures', { offer: { sdp: sdp().replace('m=application 58377', 'm=audio 58377') } }],
    ['two of everything', { offer: { sdp: sdp() + sdp() } }],
    ['no encryption', { offer: { sdp: sdp().replace('fingerprint', 'toeprint') } }],
    ['a thousand lines', { offer: { sdp: `${sdp()}${'a=x\r\n'.repeat(1000)}` } }],
    ['garbage', { offer: { sdp: 'garbage' } }],
  ])('is not heard when its offer is of %s', (_what, changes) => {
    join()
    host.webRtc.socket.says(offer(1, changes))
    expect(host.webRtc.peers).toEqual([])
    expect(host.webRtc.socket.isClosed).toBe(false)
  })

  test('cannot offer twice by one id, nor for one peer at once', () => {
    join()
    host.webRtc.socket.says(offer(1))
    host.webRtc.socket.says(offer(1, { peer_id: peerIdOf('other') }))
    host.webRtc.socket.says(offer(2, { peer_id: peerIdOf('peer 1') }))
    expect(host.webRtc.peers).toHaveLength(1)
  })

  test('cannot offer us those we are connected to', () => {
    join()
    host.connected.add(peerIdOf('peer 1'))
    host.webRtc.socket.says(offer(1))
    expect(host.webRtc.peers).toEqual([])
  })

  test('that passes on what WebRTC refuses keeps nothing alive', () => {
    join()
    host.webRtc.socket.says(offer(1))
    const peer = host.webRtc.open[0]
    peer.fails(libtorrentError('timedOut'))
    host.webRtc.socket.says(offer(1))
    expect(host.webRtc.open).toHaveLength(1)
  })

  test('cannot have our packets sent to services of this machine or to names', () => {
    join()
    const hidden = ['127.0.0.1', '0.0.0.0', '224.0.0.1', '::1', 'localhost', 'printer.local', '203.0.113.5', '10.0.0.7']
    host.banned.add('203.0.113.5')
    host.webRtc.socket.says(offer(1, { offer: { sdp: sdp(...hidden) } }))
    const [call] = host.webRtc.open[0].calls
    expect(call.match(/a=candidate:\S+ 1 UDP \d+ (\S+)/g)?.map((line) => line.split(' ')[4])).toEqual(['10.0.0.7'])
  })

  test('cannot have our packets sent to more than twenty addresses by one offer', () => {
    join()
    const many = Array.from({ length: 100 }, (_, i) => `198.51.100.${i + 1}`)
    host.webRtc.socket.says(offer(1, { offer: { sdp: sdp(...many) } }))
    expect(host.webRtc.open[0].calls[0].match(/a=candidate:/g)).toHaveLength(20)
  })
})

describe('an answer', () => {
  const answer = (offerId: string, changes: Record<string, unknown> = {}) => ({
    action: 'announce',
    info_hash: HASH,
    offer_id: offerId,
    peer_id: peerIdOf('them'),
    answer: { type: 'answer', sdp: sdp('198.51.100.9') },
    ...changes,
  })

  function offered(): string {
    host.settings.maxWebtorrentOffers = 1
    join(INFO_HASH[0], 'wss://good.example/', 1)
    const { offers } = host.webRtc.socket.sent.at(-1) as { offers: { offer_id: string }[] }
    return offers[0].offer_id
  }

  test('to an offer nobody made is not heard, nor one for another torrent, nor one of ourselves', () => {
    const offerId = offered()
    const { socket } = host.webRtc
    socket.says(answer(offerIdOf(99)))
    socket.says(answer(offerId, { info_hash: 'y'.repeat(20) }))
    socket.says(answer(offerId, { peer_id: latin1(PEER_ID) }))
    expect(host.webRtc.peers.map(({ calls }) => calls)).toEqual([['offer']])
  })

  test('counts once, and only by the tracker that the offer was made to', () => {
    const offerId = offered()
    const good = host.webRtc.socket
    join(INFO_HASH[0], 'wss://evil.example/')
    host.webRtc.socket.says(answer(offerId))
    expect(host.webRtc.peers[0].calls).toEqual(['offer'])
    good.says(answer(offerId))
    good.says(answer(offerId, { peer_id: peerIdOf('late') }))
    expect(host.webRtc.peers[0].calls).toHaveLength(2)
  })

  test('that is none takes the offer back', () => {
    const offerId = offered()
    host.webRtc.socket.says(answer(offerId, { answer: { sdp: 'garbage' } }))
    expect(host.webRtc.open).toEqual([])
  })
})

test('a peer whose address is filtered is closed, whatever its description said', () => {
  join()
  host.banned.add('203.0.113.5')
  host.webRtc.socket.says(offer(1))
  const channel = new FakeChannel(host.time, { address: '203.0.113.5', port: 1 })
  host.webRtc.open[0].opens(channel)
  expect(channel.isClosed).toBe(true)
  expect(host.streams).toEqual([])
})

test('a connection that opens after its torrent has left is closed', () => {
  join()
  host.webRtc.socket.says(offer(1))
  const peer = host.webRtc.open[0]
  trackers.leave(INFO_HASH)
  expect(peer.isClosed).toBe(true)
  expect(sentAnswers()).toEqual([])
})
