import { beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import {
  ScrapeFailedAlert,
  ScrapeReplyAlert,
  TrackerAnnounceAlert,
  TrackerErrorAlert,
  TrackeridAlert,
  TrackerReplyAlert,
  TrackerWarningAlert,
} from '../../../src/alerts/trackerAlerts.ts'
import { libtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import { retryDelay } from '../../../src/tracker/announceIntervals.ts'
import { TorrentTrackers } from '../../../src/tracker/torrentTrackers.ts'
import type { AnnounceParams, TorrentTrackersHost } from '../../../src/tracker/torrentTrackersHost.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, TrackerFailure, TrackerPeer, TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import type { TrackerSettings } from '../../../src/tracker/trackerSettings.ts'
import type { WebTrackerClient } from '../../../src/tracker/webTrackerClient.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { FakeAlerts, fakePlatform, httpOk, type PendingGet, settings } from './fakes.ts'
import { INFO_HASH, request } from './requests.ts'

const A = 'http://a/announce'
const B = 'http://b/announce'
const C = 'http://c/announce'
const V4 = { address: '0.0.0.0', port: 6881 }
const V6 = { address: '::', port: 6881 }
const OK = httpOk('d8:intervali1800e12:min intervali60ee')

/** WebSocket trackers whose answers a test gives. */
class FakeWebTrackers implements WebTrackerClient {
  isOn = true
  readonly announces: { request: TrackerRequest; done: (result: AnnounceReply | TrackerFailure) => void }[] = []
  readonly left: (string | undefined)[] = []

  announce(
    _tracker: unknown,
    announced: TrackerRequest,
    _way: unknown,
    done: (result: AnnounceReply | TrackerFailure) => void,
  ): () => void {
    this.announces.push({ request: announced, done })
    return () => {}
  }

  scrape(): () => void {
    return () => {}
  }

  leave(_infoHash: Uint8Array, url?: string): void {
    this.left.push(url)
  }

  get told(): string[] {
    return this.announces.map(({ request: { url, event } }) => `${new URL(url).host} ${event}`)
  }
}

/** A torrent with trackers, in virtual time. */
class Scene {
  readonly platform = fakePlatform()
  readonly alerts = new FakeAlerts()
  readonly config: { -readonly [K in keyof TrackerSettings]: TrackerSettings[K] }
  readonly trackers: TorrentTrackers
  readonly web = new FakeWebTrackers()
  readonly peers: { peers: readonly TrackerPeer[]; url: string }[] = []
  readonly external: string[] = []
  swarm: number[] = []
  params: AnnounceParams = { ...request() }
  listening: readonly Endpoint[] = [V4]
  wish = Number.POSITIVE_INFINITY
  wishes = 0
  private timer = { cancel: () => {} }

  constructor(changes: Partial<TrackerSettings> = {}) {
    this.config = settings(changes)
    const scene = this
    const { platform } = this
    const host: TorrentTrackersHost = {
      get announceEndpoints() {
        return scene.listening
      },
      clock: platform.time,
      random: platform.random,
      settings: this.config,
      client: new TrackerClient({ platform, settings: this.config, webTrackers: this.web }),
      alerts: this.alerts,
      handle: { infoHash: new Sha1Hash(INFO_HASH) },
      announceParams: () => this.params,
      wakeAt: (when) => {
        this.wishes++
        this.wish = when
        this.timer.cancel()
        if (!Number.isFinite(when)) return
        this.timer = platform.time.after(when - platform.time.now(), () => this.trackers.onWake(platform.time.now()))
      },
      onTrackerPeers: (peers, url) => this.peers.push({ peers, url }),
      onExternalAddress: (address, source) => this.external.push(`${address} by ${source}`),
      onScrape: (...counts) => {
        this.swarm = counts
      },
    }
    this.trackers = new TorrentTrackers(host)
  }

  /** The open request to `host` by a family. */
  openBy(family: 4 | 6, host: string): PendingGet {
    for (const get of this.platform.http.open) {
      if (get.request.family === family && new URL(get.request.url).host === host) return get
    }
    throw new Error(`nothing is asked of ${host} by IPv${family}`)
  }

  /** Requests sent since the last call, as `IPv4 host event`. */
  sentBy(): string[] {
    const { gets } = this.platform.http
    const families = gets.slice(this.seen).map(({ request: get }) => `IPv${get.family}`)
    return this.sent().map((text, i) => `${families[i]} ${text}`)
  }

  /** Requests sent since the last call, as `host event`. */
  private seen = 0
  sent(): string[] {
    const { gets } = this.platform.http
    const fresh = gets.slice(this.seen)
    this.seen = gets.length
    return fresh.map(({ request: get }) => {
      const url = new URL(get.url)
      return `${url.host} ${url.searchParams.get('event') ?? 'none'}`
    })
  }

  open(host: string): PendingGet {
    for (const get of this.platform.http.open) if (new URL(get.request.url).host === host) return get
    throw new Error(`nothing is asked of ${host}`)
  }

  pass(seconds: number): void {
    this.platform.time.pass(seconds * 1000)
  }

  entry(url: string) {
    const found = this.trackers.entries().find((entry) => entry.url === url)
    if (found === undefined) throw new Error(`no tracker ${url}`)
    return found
  }
}

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})

function started(...urls: string[]): Scene {
  scene.trackers.replace(urls.map((url, tier) => ({ url, tier })))
  scene.trackers.start()
  return scene
}

/** Started, and known to its first tracker. */
function announced(...urls: string[]): Scene {
  started(...urls)
  scene.platform.http.next().answer(OK)
  scene.sent()
  return scene
}

const refused = libtorrentError('timedOut')

describe('the life of an announce', () => {
  test('begins with `started`, and is repeated without an event after the interval', () => {
    started(A)
    expect(scene.sent()).toEqual(['a started'])
    expect(scene.entry(A)).toMatchObject({ updating: true, startSent: false })
    scene.open('a').answer(OK)
    expect(scene.entry(A)).toMatchObject({ updating: false, startSent: true, verified: true, fails: 0 })
    expect(scene.entry(A).nextAnnounceIn()).toBe(1800)
    expect(scene.entry(A).minAnnounceIn()).toBe(60)
    expect(scene.trackers.nextAnnounceIn()).toBe(1800)
    expect(scene.trackers.currentTracker).toBe(A)
    expect(scene.trackers.announceInterval).toBe(1800)
    scene.pass(1799)
    expect(scene.sent()).toEqual([])
    scene.pass(1)
    expect(scene.sent()).toEqual(['a none'])
  })

  test('costs nothing between: one wish for a wake, and no timer', () => {
    announced(A)
    const { wishes } = scene
    scene.pass(1000)
    expect(scene.wishes).toBe(wishes)
    expect(scene.platform.time.pending).toBe(1)
  })

  test('gives peers, our address and the counts to the torrent', () => {
    started(A)
    scene.platform.resolver.names.set('peer.example', ['7.7.7.7'])
    scene
      .open('a')
      .answer(
        httpOk(
          'd8:completei5e11:external ip4:\x08\x08\x08\x0810:incompletei2e' +
            '5:peersld2:ip7:1.2.3.44:porti5eed2:ip12:peer.example4:porti6eeee',
        ),
      )
    scene.pass(1)
    expect(scene.peers).toEqual([
      { peers: [{ address: '1.2.3.4', port: 5 }], url: A },
      { peers: [{ address: '7.7.7.7', port: 6 }], url: A },
    ])
    expect(scene.external).toEqual(['8.8.8.8 by 9.9.9.9'])
    expect(scene.swarm).toEqual([5, 2, -1])
  })

  test('sends back the tracker id', () => {
    started(A)
    scene.open('a').answer(httpOk('d10:tracker id2:xye'))
    scene.trackers.forceReannounce(0, -1, true)
    expect(scene.open('a').request.url).toContain('&trackerid=xy')
    expect(scene.alerts.of(TrackeridAlert)).toEqual([expect.objectContaining({ trackerid: 'xy' })])
  })

  test('of a partial seed is `paused` (BEP 21)', () => {
    announced(A)
    scene.params = { ...scene.params, partialSeed: true }
    scene.pass(1800)
    expect(scene.sent()).toEqual(['a paused'])
  })
})

describe('a tracker that fails', () => {
  test('is followed at once by the next, and tried again with a growing delay', () => {
    started(A, B)
    scene.sent()
    scene.open('a').answer(refused)
    expect(scene.sent()).toEqual(['b started'])
    scene.open('b').answer(OK)
    const times: number[] = []
    const from = scene.platform.time.now()
    for (let i = 1; i <= 3; i++) {
      scene.pass(retryDelay(i, 250))
      expect(scene.sent()).toEqual(['a started'])
      times.push(scene.platform.time.now() - from)
      scene.open('a').answer(refused)
    }
    expect(times).toEqual([17_000, (17 + 55) * 1000, (17 + 55 + 117) * 1000])
    expect(scene.entry(A)).toMatchObject({ fails: 4, lastError: refused })
  })

  test('moves to the back of its tier, where one that works is moved to the front', () => {
    scene.trackers.replace([A, B, C].map((url) => ({ url })))
    scene.trackers.start()
    scene.open('a').answer(refused)
    scene.open('b').answer(OK)
    expect(scene.trackers.entries().map(({ url }) => url)).toEqual([B, C, A])
    scene.pass(1700)
    expect(scene.sent()).toEqual(['a started', 'b started'])
  })

  test('with status 410 is never asked again', () => {
    started(A)
    scene.open('a').answer(httpOk('', 410))
    scene.sent()
    scene.pass(100_000)
    expect(scene.sent()).toEqual([])
    expect(scene.wish).toBe(Number.POSITIVE_INFINITY)
    expect(scene.entry(A)).toMatchObject({ failLimit: 1, fails: 1 })
  })

  test('is left alone for as long as it wishes', () => {
    started(A)
    scene.open('a').answer(httpOk('d14:failure reason4:busy8:retry ini10ee'))
    expect(scene.entry(A)).toMatchObject({ message: 'busy', fails: 1 })
    expect(scene.entry(A).nextAnnounceIn()).toBe(600)
  })

  test('and has no URL one could use fails like any other', () => {
    started('nonsense')
    scene.pass(0)
    expect(scene.entry('nonsense').lastError?.code).toBe('urlParseError')
    expect(scene.trackers.nextAnnounceIn()).toBe(17)
  })
})

describe('with `announce_to_all_tiers` and `announce_to_all_trackers`', () => {
  test('all trackers are announced to at once', () => {
    scene = new Scene({ announceToAllTiers: true, announceToAllTrackers: true })
    scene.trackers.replace([
      { url: A, tier: 0 },
      { url: B, tier: 0 },
      { url: C, tier: 1 },
    ])
    scene.trackers.start()
    expect(scene.sent()).toEqual(['a started', 'b started', 'c started'])
  })

  test('each keeps its own interval', () => {
    scene = new Scene({ announceToAllTiers: true })
    started(A, B)
    scene.open('a').answer(httpOk('d8:intervali400ee'))
    scene.open('b').answer(httpOk('d8:intervali900ee'))
    scene.sent()
    scene.pass(400)
    expect(scene.sent()).toEqual(['a none'])
    scene.pass(500)
    expect(scene.sent()).toEqual(['b none'])
  })
})

describe('`completed`', () => {
  test('is told at once to the tracker that knows us, once', () => {
    announced(A)
    scene.trackers.completed()
    expect(scene.sent()).toEqual(['a completed'])
    scene.open('a').answer(OK)
    scene.trackers.completed()
    scene.pass(1800)
    expect(scene.sent()).toEqual(['a none'])
  })

  test('follows a `started` that was under way', () => {
    started(A)
    scene.trackers.completed()
    scene.open('a').answer(OK)
    expect(scene.sent()).toEqual(['a started', 'a completed'])
  })

  test('is repeated when it failed', () => {
    announced(A)
    scene.trackers.completed()
    scene.open('a').answer(refused)
    scene.pass(17)
    expect(scene.sent()).toEqual(['a completed', 'a completed'])
  })

  test('is not told to a tracker that met us complete', () => {
    announced(A, B)
    scene.trackers.completed()
    scene.open('a').answer(OK)
    scene.pass(1800)
    scene.open('a').answer(refused)
    scene.open('b').answer(OK)
    scene.pass(1800)
    expect(scene.sent()).toEqual(expect.not.arrayContaining(['b completed']))
  })

  test('is never told by a torrent that began complete', () => {
    scene.params = { ...scene.params, left: 0 }
    announced(A)
    expect(scene.entry(A).completeSent).toBe(true)
    scene.pass(1800)
    expect(scene.sent()).toEqual(['a none'])
  })
})

describe('stopping', () => {
  test('tells `stopped`, without wanting peers, to the trackers that know us, and waits for their answers', () => {
    scene = new Scene({ announceToAllTiers: true })
    started(A, B, C)
    scene.open('a').answer(OK)
    scene.open('b').answer(OK)
    scene.sent()
    let done = 0
    scene.trackers.stop(() => done++)
    expect(scene.sent()).toEqual(['a stopped', 'b stopped'])
    expect(scene.open('a').request.url).toContain('&numwant=0&')
    expect(() => scene.open('c')).toThrow()
    scene.open('a').answer(OK)
    expect(done).toBe(0)
    scene.open('b').answer(refused)
    expect(done).toBe(1)
    expect(scene.entry(B).fails).toBe(0)
    scene.pass(100_000)
    expect(scene.sent()).toEqual([])
  })

  test('is done at once when no tracker knows us, or none is to be told', () => {
    let done = 0
    started(A)
    scene.trackers.stop(() => done++)
    expect(done).toBe(1)
    scene = new Scene({ stopTrackerTimeout: 0 })
    announced(A)
    scene.trackers.stop(() => done++)
    expect(done).toBe(2)
    expect(scene.sent()).toEqual([])
  })

  test('twice is stopping once', () => {
    let done = 0
    announced(A)
    scene.trackers.stop(() => done++)
    scene.trackers.stop(() => done++)
    expect(scene.sent()).toEqual(['a stopped'])
    scene.open('a').answer(OK)
    expect(done).toBe(2)
  })

  test('and starting again waits for the answer to `stopped` before it tells `started`', () => {
    let done = 0
    announced(A)
    scene.trackers.stop(() => done++)
    scene.trackers.start()
    expect(scene.sent()).toEqual(['a stopped'])
    scene.trackers.stop(() => done++)
    scene.trackers.start()
    expect(scene.sent()).toEqual([])
    scene.open('a').answer(OK)
    expect(done).toBe(2)
    expect(scene.sent()).toEqual(['a started'])
  })

  test('by `abort` tells nobody and calls nobody', () => {
    announced(A)
    scene.trackers.stop(() => expect.unreachable())
    scene.trackers.abort()
    expect(scene.platform.http.open.size).toBe(0)
  })
})

describe('a forced announce', () => {
  test('waits for the minimum interval, unless that is to be ignored', () => {
    announced(A)
    scene.trackers.forceReannounce()
    scene.pass(59)
    expect(scene.sent()).toEqual([])
    scene.pass(1)
    expect(scene.sent()).toEqual(['a none'])
    scene.open('a').answer(OK)
    scene.trackers.forceReannounce(0, -1, true)
    expect(scene.sent()).toEqual(['a none'])
  })

  test('comes after the delay asked for', () => {
    announced(A)
    scene.trackers.forceReannounce(100)
    scene.pass(99)
    expect(scene.sent()).toEqual([])
    scene.pass(1)
    expect(scene.sent()).toEqual(['a none'])
  })

  test('of one tracker reaches it although another works, even one that was given up', () => {
    announced(A, B)
    scene.trackers.forceReannounce(0, 1)
    expect(scene.sent()).toEqual(['b started'])
    scene.open('b').answer(httpOk('', 410))
    scene.trackers.forceReannounce(0, 1)
    expect(scene.sent()).toEqual(['b started'])
  })

  test('of a tracker that does not exist, or of a torrent that does not announce, does nothing', () => {
    announced(A)
    scene.trackers.forceReannounce(0, 7, true)
    scene.trackers.forceReannounce(0, -2, true)
    expect(scene.sent()).toEqual([])
    scene.trackers.stop()
    scene.open('a').answer(OK)
    scene.sent()
    scene.trackers.forceReannounce(0, -1, true)
    expect(scene.sent()).toEqual([])
  })
})

describe('with two listen sockets', () => {
  const noAddress = systemError({ code: 'EAFNOSUPPORT', message: 'no address of the family' })
  const noRoute = systemError({ code: 'ENETUNREACH', message: 'no route' })

  beforeEach(() => {
    scene.listening = [V4, V6]
  })

  test('each announces, from its own address and with its own port, and keeps its own times', () => {
    scene.listening = [{ address: '10.1.1.1', port: 1111 }, V6]
    started(A)
    expect(scene.sentBy()).toEqual(['IPv4 a started', 'IPv6 a started'])
    expect(scene.openBy(4, 'a').request).toMatchObject({
      localAddress: '10.1.1.1',
      url: expect.stringContaining('port=1111'),
    })
    expect(scene.openBy(6, 'a').request).toMatchObject({
      localAddress: undefined,
      url: expect.stringContaining('port=6881'),
    })
    scene.openBy(4, 'a').answer(httpOk('d8:intervali400ee'))
    scene.openBy(6, 'a').answer(httpOk('d8:intervali900ee'))
    scene.pass(400)
    expect(scene.sentBy()).toEqual(['IPv4 a none'])
    scene.pass(500)
    expect(scene.sentBy()).toEqual(['IPv6 a none'])
    expect(scene.alerts.of(TrackerReplyAlert).map(({ localEndpoint }) => localEndpoint)).toEqual(scene.listening)
  })

  test('the one that fails turns to the next tracker, the other does not', () => {
    started(A, B)
    scene.sent()
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(refused)
    expect(scene.sentBy()).toEqual(['IPv6 b started'])
    scene.openBy(6, 'b').answer(OK)
    expect(scene.alerts.of(TrackerErrorAlert)).toEqual([expect.objectContaining({ localEndpoint: V6, url: A })])
    expect(scene.entry(A)).toMatchObject({ fails: 0, lastError: null, verified: true })
    expect(scene.entry(A).endpoints).toMatchObject([
      { localEndpoint: V4, fails: 0 },
      { localEndpoint: V6, fails: 1, lastError: refused },
    ])
  })

  test.each([
    ['no address of its family', noAddress],
    ['no route to', noRoute],
  ])('a tracker that one of them finds %s is nothing to complain of', (_, error) => {
    started(A)
    scene.sent()
    scene.openBy(6, 'a').answer(error)
    scene.openBy(4, 'a').answer(OK)
    expect(scene.alerts.of(TrackerErrorAlert)).toEqual([])
    expect(scene.entry(A)).toMatchObject({ fails: 0, lastError: null })
    expect(scene.trackers.nextAnnounceIn()).toBe(1800)
    scene.pass(1800)
    expect(scene.sentBy()).toEqual(['IPv4 a none'])
  })

  test('a tracker that neither of them can reach fails, and is tried again soon', () => {
    started(A)
    scene.sent()
    scene.openBy(6, 'a').answer(noAddress)
    scene.openBy(4, 'a').answer(noRoute)
    expect(scene.alerts.of(TrackerErrorAlert)).toEqual([expect.objectContaining({ localEndpoint: V4, error: noRoute })])
    expect(scene.entry(A)).toMatchObject({ fails: 1, lastError: noRoute })
    scene.pass(retryDelay(1, 250))
    expect(scene.sentBy()).toEqual(['IPv4 a started', 'IPv6 a started'])
  })

  test('a tracker that both have reached and neither can any more is tried by both again, soon', () => {
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    scene.pass(1800)
    scene.openBy(4, 'a').answer(noRoute)
    scene.openBy(6, 'a').answer(noRoute)
    expect(scene.alerts.of(TrackerErrorAlert).length).toBe(2)
    scene.sent()
    scene.pass(retryDelay(1, 250))
    expect(scene.sentBy()).toEqual(['IPv4 a none', 'IPv6 a none'])
    scene.openBy(4, 'a').answer(OK)
    expect(scene.entry(A)).toMatchObject({ fails: 0, lastError: null })
  })

  test('trackers of one family each are used each by one of them, whatever their order', () => {
    scene.trackers.replace([{ url: A }, { url: B }])
    scene.trackers.start()
    scene.sent()
    scene.openBy(4, 'a').answer(noAddress)
    expect(scene.sentBy()).toEqual(['IPv4 b started'])
    scene.openBy(4, 'b').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    expect(scene.sentBy()).toEqual([])
    scene.pass(1800)
    expect(scene.sentBy().sort()).toEqual(['IPv4 b none', 'IPv6 a none'])
  })

  test('`completed` is told once, and by the other if the first one fails', () => {
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    scene.sent()
    scene.params = { ...scene.params, left: 0 }
    scene.trackers.completed()
    expect(scene.sentBy()).toEqual(['IPv4 a completed', 'IPv6 a none'])
    expect(scene.openBy(6, 'a').request.url).toContain('&left=0&')
    scene.openBy(6, 'a').answer(OK)
    expect(scene.sentBy()).toEqual([])
    scene.openBy(4, 'a').answer(refused)
    expect(scene.sentBy()).toEqual(['IPv6 a completed'])
    scene.openBy(6, 'a').answer(OK)
    expect(scene.entry(A).completeSent).toBe(true)
    scene.pass(17)
    expect(scene.sentBy()).toEqual(['IPv4 a none'])
  })

  test('`completed` that fails everywhere is repeated with growing pauses', () => {
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    scene.trackers.completed()
    scene.sent()
    const from = scene.platform.time.now()
    const told: number[] = []
    for (let i = 0; i < 200; i++) {
      for (const get of [...scene.platform.http.open]) get.answer(refused)
      told.push(
        ...scene
          .sent()
          .filter((text) => text === 'a completed')
          .map(() => scene.platform.time.now() - from),
      )
      scene.pass(1)
    }
    // By each after 17, 72 and 189 seconds: by the second only when it is not asking already.
    expect(told.length).toBeLessThanOrEqual(1 + 2 * 3)
  })

  test('`stopped` is told by both, and both are waited for', () => {
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    scene.sent()
    let done = 0
    scene.trackers.stop(() => done++)
    expect(scene.sentBy()).toEqual(['IPv4 a stopped', 'IPv6 a stopped'])
    scene.openBy(4, 'a').answer(OK)
    expect(done).toBe(0)
    scene.openBy(6, 'a').answer(OK)
    expect(done).toBe(1)
  })

  test('a forced announce is made by both', () => {
    started(A, B)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(noAddress)
    scene.openBy(6, 'b').answer(OK)
    scene.sent()
    scene.trackers.forceReannounce(0, -1, true)
    expect(scene.sentBy().sort()).toEqual(['IPv4 a none', 'IPv6 a started', 'IPv6 b none'])
    for (const get of [...scene.platform.http.open]) get.answer(OK)
    scene.trackers.forceReannounce(0, 1, true)
    expect(scene.sentBy()).toEqual(['IPv4 b started', 'IPv6 b none'])
  })

  test('a tracker that is gone for ever is so for both', () => {
    started(A)
    scene.openBy(4, 'a').answer(httpOk('', 410))
    scene.openBy(6, 'a').answer(refused)
    scene.sent()
    scene.pass(100_000)
    expect(scene.sent()).toEqual([])
  })

  test('the counts are the largest that either was told', () => {
    started(A)
    scene.openBy(6, 'a').answer(httpOk('d8:completei1e10:incompletei2ee'))
    scene.openBy(4, 'a').answer(httpOk('d8:completei90e10:incompletei1ee'))
    expect(scene.swarm).toEqual([90, 2, -1])
    scene.pass(1800)
    scene.openBy(6, 'a').answer(httpOk('d8:completei1e10:incompletei0ee'))
    expect(scene.swarm).toEqual([90, 1, -1])
  })
})

describe('when the listen sockets change', () => {
  test('nothing is announced before there is one, and then at once', () => {
    scene.listening = []
    started(A)
    expect(scene.sent()).toEqual([])
    expect(scene.wish).toBe(Number.POSITIVE_INFINITY)
    scene.listening = [V4]
    scene.trackers.onListenSocketsChanged()
    expect(scene.sentBy()).toEqual(['IPv4 a started'])
  })

  test('one that is new says `started`, one that stays keeps its time, one that is gone is forgotten', () => {
    scene.listening = [V4, V6]
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.sent()
    const other = { address: '0.0.0.0', port: 7000 }
    scene.listening = [{ ...V4 }, other]
    scene.trackers.onListenSocketsChanged()
    expect(() => scene.openBy(6, 'a')).toThrow()
    expect(scene.sent()).toEqual(['a started'])
    expect(scene.open('a').request.url).toContain('port=7000')
    expect(scene.entry(A).endpoints.map(({ localEndpoint }) => localEndpoint)).toEqual([V4, other])
    expect(scene.entry(A).endpoints[0].startSent).toBe(true)
  })

  test('what could not be reached is tried again at once', () => {
    scene.listening = [V4, V6]
    started(A)
    scene.openBy(6, 'a').answer(systemError({ code: 'ENETUNREACH' }))
    scene.openBy(4, 'a').answer(OK)
    scene.sent()
    scene.listening = [V4, V6]
    scene.trackers.onListenSocketsChanged()
    expect(scene.sentBy()).toEqual(['IPv6 a started'])
  })

  test('a `completed` that was to go out from the one that is gone goes out from the other', () => {
    scene.listening = [V4, V6]
    started(A)
    scene.openBy(4, 'a').answer(OK)
    scene.openBy(6, 'a').answer(OK)
    scene.trackers.completed()
    scene.openBy(6, 'a').answer(OK)
    scene.sent()
    scene.listening = [V6]
    scene.trackers.onListenSocketsChanged()
    expect(scene.sentBy()).toEqual(['IPv6 a completed'])
  })

  test('a `stopped` under way is still waited for', () => {
    announced(A)
    let done = 0
    scene.trackers.stop(() => done++)
    scene.trackers.start()
    scene.listening = [V6]
    scene.trackers.onListenSocketsChanged()
    expect(done).toBe(0)
    scene.openBy(4, 'a').answer(OK)
    expect(done).toBe(1)
    expect(scene.entry(A).startSent).toBe(false)
  })
})

describe('changing the trackers', () => {
  test('keeps the state of those that stay and aborts what is asked of those that go', () => {
    announced(A, B)
    scene.trackers.forceReannounce(0, 1)
    scene.trackers.replace([{ url: A }, { url: C }])
    expect(() => scene.open('b')).toThrow()
    expect(scene.entry(A).startSent).toBe(true)
    expect(scene.trackers.count).toBe(2)
    expect(scene.entry(A).nextAnnounceIn()).toBe(1800)
  })

  test('announces to one that is added when no other works', () => {
    scene.trackers.start()
    expect(scene.trackers.add({ url: A })).toBe(true)
    expect(scene.trackers.add({ url: A })).toBe(false)
    expect(scene.sent()).toEqual(['a started'])
  })

  test('when loading shuffles the tiers and prefers UDP', () => {
    scene.trackers.load([
      { url: 'http://x/announce', tier: 0 },
      { url: 'udp://x:1/announce', tier: 1 },
    ])
    expect(scene.trackers.entries().map(({ url }) => url)).toEqual(['udp://x:1/announce', 'http://x/announce'])
  })

  test('does not change entries that were handed out', () => {
    announced(A)
    const [entry] = scene.trackers.entries()
    scene.trackers.stop()
    scene.open('a').answer(OK)
    expect(entry.startSent).toBe(true)
    expect(scene.entry(A).startSent).toBe(false)
  })
})

describe('a scrape', () => {
  test('asks the tracker that worked last, and its counts reach the torrent', () => {
    announced(A, B)
    const results: unknown[] = []
    scene.trackers.scrape(-1, (result) => results.push(result?.kind))
    const get = scene.open('a')
    expect(get.request.url).toMatch(/^http:\/\/a\/scrape\?/)
    const hash = Buffer.from(INFO_HASH).toString('latin1')
    get.answer(httpOk(`d5:filesd20:${hash}d8:completei7e10:downloadedi9e10:incompletei3eeee`))
    expect(results).toEqual(['scrape'])
    expect(scene.swarm).toEqual([7, 3, 9])
    expect(scene.entry(A)).toMatchObject({ scrapeComplete: 7, scrapeIncomplete: 3, scrapeDownloaded: 9 })
    expect(scene.alerts.of(ScrapeReplyAlert)).toEqual([expect.objectContaining({ complete: 7, incomplete: 3 })])
  })

  test('that fails is told', () => {
    scene.trackers.replace([{ url: 'http://a/other' }])
    scene.trackers.scrape()
    scene.pass(0)
    expect(scene.alerts.of(ScrapeFailedAlert)[0]?.error.code).toBe('scrapeNotAvailable')
  })

  test('of no tracker is null', () => {
    const results: unknown[] = []
    scene.trackers.scrape(-1, (result) => results.push(result))
    scene.trackers.scrape(3, (result) => results.push(result))
    expect(results).toEqual([null, null])
  })

  test("counts are the largest of all trackers'", () => {
    scene = new Scene({ announceToAllTiers: true })
    started(A, B)
    scene.open('a').answer(httpOk('d8:completei5e10:incompletei9ee'))
    scene.open('b').answer(httpOk('d8:completei8e10:incompletei2ee'))
    expect(scene.swarm).toEqual([8, 9, -1])
  })
})

describe('alerts', () => {
  test('tell of announce, reply, warning and error, without the credentials of the URL', () => {
    const url = 'http://me:secret@a/announce'
    started(url)
    scene.open('a').answer(httpOk('d5:peers6:\x01\x02\x03\x04\x00\x0515:warning message3:hmme'))
    scene.pass(1800)
    scene.open('a').answer(httpOk('d14:failure reason2:noe'))
    const base = { url: 'http://a/announce' }
    expect(scene.alerts.of(TrackerAnnounceAlert)).toEqual([
      expect.objectContaining({ ...base, event: 'started' }),
      expect.objectContaining({ ...base, event: 'none' }),
    ])
    expect(scene.alerts.of(TrackerReplyAlert)).toEqual([expect.objectContaining({ ...base, numPeers: 1 })])
    expect(scene.alerts.of(TrackerWarningAlert)).toEqual([expect.objectContaining({ ...base, msg: 'hmm' })])
    expect(scene.alerts.of(TrackerErrorAlert)).toEqual([
      expect.objectContaining({ ...base, timesInRow: 1, msg: 'no', statusCode: 0 }),
    ])
    for (const alert of scene.alerts.posted) expect(alert.message()).not.toContain('secret')
  })

  test('of an HTTP error have its status', () => {
    started(A)
    scene.open('a').answer(httpOk('', 401))
    expect(scene.alerts.of(TrackerErrorAlert)).toEqual([expect.objectContaining({ statusCode: 401, timesInRow: 1 })])
  })
})

describe('a WebSocket tracker', () => {
  const WEB = 'wss://web/'
  const reply = (interval = 120): AnnounceReply => ({
    kind: 'reply',
    interval,
    minInterval: 0,
    trackerId: '',
    warning: '',
    complete: 3,
    incomplete: 4,
    downloaded: 5,
    downloaders: -1,
    peers: [],
    namedPeers: [],
    externalAddress: '',
    trackerAddress: '9.9.9.9',
  })

  test('is told by one listen socket, beside a tracker that works', () => {
    scene.listening = [V4, V6]
    started(A, WEB)
    expect(scene.web.told).toEqual(['web started'])
    scene.web.announces[0].done(reply())
    expect(scene.entry(WEB)).toMatchObject({ verified: true, scrapeComplete: 3 })
    expect(scene.entry(WEB).endpoints.map(({ localEndpoint }) => localEndpoint)).toEqual([V4])
    scene.trackers.forceReannounce(0, WEB, true)
    expect(scene.web.told).toEqual(['web started', 'web none'])
  })

  test('has a shortest interval of its own', () => {
    started(WEB)
    scene.web.announces[0].done(reply(1))
    expect(scene.entry(WEB).nextAnnounceIn()).toBe(60)
    scene.pass(60)
    expect(scene.web.told).toEqual(['web started', 'web none'])
  })

  test('that lost us is told anew when it may be', () => {
    started(WEB)
    scene.web.announces[0].done(reply(3600))
    scene.trackers.onTrackerLost(WEB, 15_000)
    scene.pass(14)
    expect(scene.web.told).toHaveLength(1)
    scene.pass(1)
    expect(scene.web.told).toHaveLength(2)
  })

  test('is left when it is taken off the list, and when the torrent stops', () => {
    started(A, WEB)
    scene.web.announces[0].done(reply())
    scene.trackers.replace([{ url: A }])
    expect(scene.web.left).toEqual([WEB])
    scene.trackers.replace([{ url: WEB }])
    scene.web.announces[1].done(reply())
    scene.trackers.stop()
    expect(scene.web.told).toEqual(['web started', 'web started', 'web stopped'])
    expect(scene.web.left).toEqual([WEB, undefined])
  })

  test('that cannot be reached from the one socket that speaks to it has failed', () => {
    scene.listening = [V4, V6]
    started(WEB)
    const error = systemError({ code: 'ENETUNREACH', message: 'network is unreachable' })
    scene.web.announces[0].done({ kind: 'failure', error, message: '', retryIn: 0, permanent: false })
    expect(scene.alerts.of(TrackerErrorAlert)).toHaveLength(1)
  })

  test('is not told while WebRTC is off', () => {
    scene.web.isOn = false
    started(WEB)
    expect(scene.web.told).toEqual([])
    scene.web.isOn = true
    scene.trackers.onSettingsChanged()
    expect(scene.web.told).toEqual(['web started'])
  })
})
