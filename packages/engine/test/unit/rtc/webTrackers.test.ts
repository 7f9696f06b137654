import { beforeEach, describe, expect, test } from 'vitest'
import { libtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import { WebTrackers } from '../../../src/rtc/webTrackers.ts'
import { parseTrackerUrl, type TrackerLocation } from '../../../src/tracker/trackerLocation.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure, TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import { latin1 } from '../../../src/util/bytes.ts'
import { INFO_HASH, PEER_ID, request } from '../tracker/requests.ts'
import { FakeChannel, FakeRtcHost, offerIdOf, peerIdOf, sdp } from './fakeWebRtc.ts'

const URL_A = 'wss://a.example/announce'
const HASH = latin1(INFO_HASH)
const OTHER_HASH_BYTES = Uint8Array.from(INFO_HASH, (byte) => byte ^ 0xff)
const OTHER_HASH = latin1(OTHER_HASH_BYTES)
const WAY = { localAddress: undefined, family: undefined }
const RESET = systemError({ code: 'ECONNRESET', message: 'reset' })

let host: FakeRtcHost
let trackers: WebTrackers
let results: (AnnounceReply | ScrapeReply | TrackerFailure)[]

beforeEach(() => {
  host = new FakeRtcHost()
  trackers = new WebTrackers(host)
  results = []
})

function announce(
  changes: Partial<TrackerRequest> = {},
  way: Parameters<WebTrackers['announce']>[2] = WAY,
): () => void {
  const full = request({ url: URL_A, ...changes })
  const location = parseTrackerUrl(full.url) as TrackerLocation
  const cancel = trackers.announce(
    location,
    full,
    way,
    (result) => results.push(result),
    () => {},
  )
  host.time.pass(1)
  return cancel
}

const reply = (infoHash: string, more = {}) => ({ action: 'announce', interval: 120, info_hash: infoHash, ...more })

/** Announces, and plays the tracker and WebRTC until it is answered. */
function announced(changes: Partial<TrackerRequest> = {}, infoHash = HASH): void {
  const known = host.webRtc.peers.length
  announce(changes)
  host.webRtc.socket.open()
  for (const peer of host.webRtc.peers.slice(known)) peer.gathered()
  host.time.pass(1)
  host.webRtc.socket.says(reply(infoHash, { complete: 1, incomplete: 2 }))
}

const codes = () => results.map((result) => (result.kind === 'failure' ? result.error.code : result.kind))
const lastSent = () => host.webRtc.socket.sent.at(-1) as Record<string, unknown>

const offer = (id: number, name: string, infoHash = HASH) => ({
  action: 'announce',
  info_hash: infoHash,
  offer_id: offerIdOf(id),
  peer_id: peerIdOf(name),
  offer: { type: 'offer', sdp: sdp('198.51.100.9') },
})

describe('an announce to a WebSocket tracker', () => {
  test('says who we are and what we have, and offers connections', () => {
    announce({ numWant: 3 })
    const { socket } = host.webRtc
    expect(socket.request).toMatchObject({
      url: 'wss://a.example/announce',
      maxMessageBytes: 131_072,
      openTimeout: 10_000,
    })
    socket.open()
    expect(socket.sent).toEqual([])
    expect(host.webRtc.peers.map(({ calls }) => calls)).toEqual([['offer'], ['offer'], ['offer']])
    expect(host.webRtc.peers[0].options.stunServer).toBe('stun.example:3478')
    for (const peer of host.webRtc.peers) peer.gathered()
    expect(socket.sent).toHaveLength(1)
    expect(lastSent()).toMatchObject({
      action: 'announce',
      info_hash: HASH,
      peer_id: latin1(PEER_ID),
      event: 'started',
      uploaded: 1,
      downloaded: 2,
      left: 3,
      numwant: 3,
      key: '00000ABC',
    })
    const offers = lastSent().offers as { offer_id: string; offer: { type: string; sdp: string } }[]
    expect(offers.map(({ offer_id }) => offer_id.length)).toEqual([20, 20, 20])
    expect(offers[0].offer).toEqual({ type: 'offer', sdp: sdp('192.0.2.7') })
    socket.says(reply(HASH, { complete: 7, incomplete: 8, 'tracker id': 'x', 'warning message': 'hm' }))
    expect(results).toEqual([
      expect.objectContaining({
        kind: 'reply',
        interval: 120,
        complete: 7,
        incomplete: 8,
        trackerId: 'x',
        warning: 'hm',
        trackerAddress: '9.9.9.9',
        peers: [],
      }),
    ])
  })

  test('offers what came about in three seconds, when a STUN server is silent', () => {
    announce({ numWant: 2 })
    host.webRtc.socket.open()
    host.webRtc.peers[0].ownSdp = null
    host.time.pass(3000)
    expect(lastSent().offers).toHaveLength(1)
    expect(host.webRtc.open).toHaveLength(1)
  })

  test('that tells of the end of the download, or of leaving, offers nothing', () => {
    announced()
    const made = host.webRtc.peers.length
    announced({ event: 'completed' })
    expect(lastSent()).toMatchObject({ event: 'completed', numwant: 0, offers: [] })
    announce({ event: 'stopped' })
    expect(lastSent()).toMatchObject({ event: 'stopped', numwant: 0, offers: [] })
    expect(host.webRtc.peers).toHaveLength(made)
  })

  test('fails with what to install when that is missing', () => {
    host.webRtc.peersMissing = libtorrentError('unsupportedUrlProtocol', { message: 'npm install it' })
    announce()
    expect(results).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ message: 'npm install it' }), retryIn: 3600 }),
    ])
    expect(host.webRtc.sockets).toEqual([])
  })

  test('is not made by who hides', () => {
    host.isHiding = true
    expect(trackers.isOn).toBe(false)
    announce()
    expect(codes()).toEqual(['unsupportedUrlProtocol'])
    expect(host.webRtc.sockets).toEqual([])
  })

  test('is given up, with all that came of earlier ones, when we begin to hide', () => {
    announced()
    const { socket } = host.webRtc
    announce({ url: 'wss://b.example/announce' })
    host.isHiding = true
    trackers.onSettingsChanged()
    expect(codes()).toEqual(['reply', 'unsupportedUrlProtocol'])
    expect(socket.isClosed).toBe(true)
    expect(host.webRtc.open).toEqual([])
    expect(host.webRtc.sockets.every(({ isClosed }) => isClosed)).toBe(true)
    // And begun anew when we do not hide any more.
    host.isHiding = false
    trackers.onSettingsChanged()
    announced()
    host.time.pass(60_000)
    trackers.close()
    expect(host.webRtc.sockets.every(({ isClosed }) => isClosed)).toBe(true)
    expect(host.time.pending).toBe(0)
  })

  test('does not open a connection that was still being prepared when we began to hide', () => {
    host.webRtc.loadPeers = (done) => {
      host.isHiding = true
      host.time.after(0, () => done(null))
    }
    announce()
    expect(codes()).toEqual(['unsupportedUrlProtocol'])
    expect(host.webRtc.sockets).toEqual([])
  })

  test('is not made where WebRTC is switched off, or unknown', () => {
    host.settings.maxWebtorrentOffers = 0
    expect(trackers.isOn).toBe(false)
    announce()
    host.settings.maxWebtorrentOffers = 10
    Object.assign(host.platform, { webRtc: undefined })
    announce()
    expect(codes()).toEqual(['unsupportedUrlProtocol', 'unsupportedUrlProtocol'])
  })

  test('fails with the words of the tracker', () => {
    announce({ numWant: 0 })
    host.webRtc.socket.open()
    host.time.pass(1)
    host.webRtc.socket.says({ action: 'announce', info_hash: HASH, 'failure reason': 'go away' })
    expect(results).toEqual([expect.objectContaining({ kind: 'failure', message: 'go away' })])
  })

  test('that is not answered in time fails, and the silent connection is left', () => {
    announce({ numWant: 0 })
    const { socket } = host.webRtc
    socket.open()
    host.time.pass(30_000)
    expect(codes()).toEqual(['timedOut'])
    expect(socket.isClosed).toBe(true)
  })

  test('that is cancelled is over: nobody is called, and the tracker is left', () => {
    const cancel = announce()
    cancel()
    host.webRtc.socket.open()
    host.time.pass(60_000)
    expect(results).toEqual([])
    expect(host.webRtc.socket.isClosed).toBe(true)
    expect(host.time.pending).toBe(0)
  })

  test('goes out by the address it is to go out by', () => {
    announce({}, { localAddress: '10.1.1.1', family: 4 })
    expect(host.webRtc.socket.request).toMatchObject({ localAddress: '10.1.1.1', family: 4 })
  })

  test('shares one connection with those of other torrents, and each hears its own answer', () => {
    announced({ numWant: 1 })
    announce({ infoHash: OTHER_HASH_BYTES, numWant: 0 })
    host.time.pass(1)
    expect(host.webRtc.sockets).toHaveLength(1)
    expect(results).toHaveLength(1)
    host.webRtc.socket.says(reply(HASH))
    expect(results).toHaveLength(1)
    host.webRtc.socket.says(reply(OTHER_HASH))
    expect(results).toHaveLength(2)
  })
})

describe('a scrape', () => {
  test('asks for counts without WebRTC', () => {
    host.webRtc.peersMissing = libtorrentError('unsupportedUrlProtocol')
    const location = parseTrackerUrl(URL_A) as TrackerLocation
    trackers.scrape(location, { url: URL_A, infoHash: INFO_HASH }, WAY, (result) => results.push(result))
    host.time.pass(1)
    host.webRtc.socket.open()
    expect(lastSent()).toEqual({ action: 'scrape', info_hash: HASH })
    host.webRtc.socket.says({ action: 'scrape', files: { [HASH]: { complete: 4, incomplete: 5, downloaded: 6 } } })
    expect(results).toEqual([expect.objectContaining({ kind: 'scrape', complete: 4, incomplete: 5, downloaded: 6 })])
    host.time.pass(3000)
    expect(host.webRtc.socket.isClosed).toBe(true)
  })
})

describe('the connection to a tracker', () => {
  test('that breaks is remembered: torrents are told when to come again, later each time', () => {
    const delays: number[] = []
    for (let i = 0; i < 4; i++) {
      announced()
      host.webRtc.socket.breaks(RESET)
      delays.push(host.lost[i].delay)
      host.time.pass(host.lost[i].delay)
    }
    expect(host.lost[0]).toMatchObject({ infoHash: HASH, url: URL_A })
    for (const [i, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual(10_000 * 2 ** i)
      expect(delay).toBeLessThan(20_000 * 2 ** i)
    }
  })

  test('that cannot be made is tried by one of many torrents, and again only after a rest', () => {
    announce()
    host.webRtc.socket.breaks(RESET)
    announce({ infoHash: OTHER_HASH_BYTES })
    expect(codes()).toEqual(['ECONNRESET', 'ECONNRESET'])
    expect(results[1]).toMatchObject({ retryIn: 10 })
    expect(host.webRtc.sockets).toHaveLength(1)
    host.time.pass(10_000)
    announce()
    expect(host.webRtc.sockets).toHaveLength(2)
  })

  test('is closed when the last torrent has said goodbye', () => {
    announced()
    announced({ infoHash: OTHER_HASH_BYTES }, OTHER_HASH)
    announce({ event: 'stopped' })
    trackers.leave(INFO_HASH)
    host.time.pass(60_000)
    expect(host.webRtc.socket.isClosed).toBe(false)
    trackers.leave(OTHER_HASH_BYTES)
    host.time.pass(3000)
    expect(host.webRtc.socket.isClosed).toBe(true)
  })

  test('is not made for a goodbye', () => {
    announced()
    host.webRtc.socket.breaks(RESET)
    host.time.pass(60_000)
    announce({ event: 'stopped' })
    expect(codes()).toEqual(['reply', 'torrentAborted'])
    expect(host.webRtc.sockets).toHaveLength(1)
  })

  test('ends with the session, and leaves nothing', () => {
    announced()
    announce({ infoHash: OTHER_HASH_BYTES })
    host.webRtc.socket.says(offer(1, 'them'))
    trackers.close()
    expect(host.webRtc.socket.isClosed).toBe(true)
    expect(host.webRtc.open).toEqual([])
  })
})

describe('an offer of somebody else', () => {
  test('is answered by way of the tracker, and becomes a stream of the torrent', () => {
    announced({ numWant: 0 })
    host.webRtc.socket.says(offer(1, 'them'))
    const peer = host.webRtc.open[0]
    expect(peer.calls).toEqual([`answer ${sdp('198.51.100.9')}`])
    peer.gathered()
    expect(lastSent()).toEqual({
      action: 'announce',
      info_hash: HASH,
      peer_id: latin1(PEER_ID),
      to_peer_id: peerIdOf('them'),
      offer_id: offerIdOf(1),
      answer: { type: 'answer', sdp: sdp('192.0.2.7') },
    })
    peer.opens(new FakeChannel(host.time))
    expect(host.streams).toEqual([expect.objectContaining({ infoHash: HASH, isOutgoing: false })])
    expect(host.streams[0].stream).toMatchObject({ socketType: 'rtc', remote: { address: '198.51.100.9', port: 4000 } })
    host.time.pass(300_000)
    expect(peer.isClosed).toBe(false)
  })

  test('that leads nowhere is given up after the time of the setting', () => {
    announced({ numWant: 0 })
    host.webRtc.socket.says(offer(1, 'them'))
    host.webRtc.open[0].gathered()
    host.time.pass(119_000)
    expect(host.webRtc.open).toHaveLength(1)
    host.time.pass(1000)
    expect(host.webRtc.open).toHaveLength(0)
  })
})

describe('our offer', () => {
  const offerIds = () => (lastSent().offers as { offer_id: string }[]).map(({ offer_id }) => offer_id)
  const answer = (offerId: string, name: string) => ({
    action: 'announce',
    info_hash: HASH,
    offer_id: offerId,
    peer_id: peerIdOf(name),
    answer: { type: 'answer', sdp: sdp('198.51.100.9') },
  })

  test('becomes a stream when somebody has answered', () => {
    announced({ numWant: 2 })
    const [first] = offerIds()
    host.webRtc.socket.says(answer(first, 'them'))
    expect(host.webRtc.peers[0].calls).toEqual(['offer', `accept ${sdp('198.51.100.9')}`])
    host.webRtc.peers[0].opens(new FakeChannel(host.time))
    expect(host.streams).toEqual([expect.objectContaining({ infoHash: HASH, isOutgoing: true })])
  })

  test('is taken back when nobody has answered for a minute', () => {
    announced({ numWant: 2 })
    expect(host.webRtc.open).toHaveLength(2)
    host.time.pass(55_000)
    expect(host.webRtc.open).toHaveLength(0)
  })

  test('is taken back when the torrent leaves, and when the tracker is lost', () => {
    announced({ numWant: 2 })
    trackers.leave(INFO_HASH)
    expect(host.webRtc.open).toHaveLength(0)
    announced({ numWant: 2 })
    host.webRtc.socket.breaks(RESET)
    expect(host.webRtc.open).toHaveLength(0)
  })

  test('is not made for a torrent that takes no more peers', () => {
    host.full.add(HASH)
    announced()
    expect(lastSent()).toMatchObject({ numwant: 0, offers: [] })
  })
})

describe('two that offer each other a connection at the same time', () => {
  const answerTo = (offerId: string, peerId: string) => ({
    action: 'announce',
    info_hash: HASH,
    offer_id: offerId,
    peer_id: peerId,
    answer: { type: 'answer', sdp: sdp('198.51.100.9') },
  })

  /** We offer, answer an offer of theirs, and are answered by them. Gives our connection and theirs. */
  function crossing(theirId: string) {
    announced({ numWant: 1 })
    const [{ offer_id }] = lastSent().offers as { offer_id: string }[]
    const ours = host.webRtc.peers[0]
    host.webRtc.socket.says({ ...offer(1, ''), peer_id: theirId })
    const theirs = host.webRtc.peers[1]
    theirs.gathered()
    host.webRtc.socket.says(answerTo(offer_id, theirId))
    return { ours, theirs }
  }

  test('keep one connection: ours, when our peer id is the lower one', () => {
    const { ours, theirs } = crossing('\xff'.repeat(20))
    expect(ours.calls).toContain(`accept ${sdp('198.51.100.9')}`)
    expect([ours.isClosed, theirs.isClosed]).toEqual([false, true])
  })

  test('keep one connection: theirs, when our peer id is the higher one', () => {
    const { ours, theirs } = crossing('\x00'.repeat(20))
    expect(ours.calls).toEqual(['offer'])
    expect([ours.isClosed, theirs.isClosed]).toEqual([true, false])
    theirs.opens(new FakeChannel(host.time))
    expect(host.streams).toHaveLength(1)
  })
})
