import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { WebSocketClient, WebSocketClientHandler, WebSocketService } from '../platform/webSocketServer.ts'
import { fromLatin1 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { AnnounceQuery } from './announceQuery.ts'
import { Refusal, type TrackerCore } from './trackerCore.ts'
import { WebClient } from './webClient.ts'
import {
  MAX_WEB_REQUEST_BYTES,
  readWebRequest,
  subjectOf,
  type WebOffer,
  type WebRequest,
  type WebSubject,
} from './webRequest.ts'
import { WebMember, WebSwarm } from './webSwarm.ts'

/** Peers of all torrents, about 1 kB each. */
const MAX_MEMBERS = 100_000
/** Messages in a row that are none, before their sender is left. */
const MAX_GARBAGE = 20
/** A client that is in no torrent may stay as long as this without a word. */
const IDLE_MS: Millis = 60_000
/** Longest message, characters, that is looked at to say what is refused. */
const MAX_REFUSED_LENGTH = 32 * 1024
/** Where WebSocket trackers are looked for: at any of these paths. */
const PATHS: readonly string[] = ['/', '/announce']

type Announce = Extract<WebRequest, { kind: 'announce' }>
type Answer = Extract<WebRequest, { kind: 'answer' }>
type Member = WebMember<WebClient>

/**
 * A tracker that is spoken to by WebSocket, without its sockets: it introduces peers who have no address, as WebTorrent's
 * trackers do. An announce brings offers along; each goes to one other peer of the torrent, whose answer goes back. Of
 * what is sent nothing goes to more than one, so nobody makes the tracker send more than it was sent; an answer goes
 * only to whoever made the offer, and only once. Who is in which swarm here is known nowhere else: peers of the other
 * protocols could not connect to these.
 */
export class WebTrackerFront implements WebSocketService {
  readonly maxMessageBytes = MAX_WEB_REQUEST_BYTES
  private readonly clients = new Set<WebClient>()
  private readonly swarms = new Map<string, WebSwarm<WebClient>>()
  private readonly query = new AnnounceQuery()
  private numMembers = 0

  constructor(
    private readonly core: TrackerCore,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly maxClients: number,
  ) {}

  get isFull(): boolean {
    return this.clients.size >= this.maxClients
  }

  stats(): { readonly webClients: number; readonly webPeers: number; readonly webSeeds: number } {
    let webSeeds = 0
    for (const swarm of this.swarms.values()) webSeeds += swarm.seeds
    return { webClients: this.clients.size, webPeers: this.numMembers, webSeeds }
  }

  serves(path: string): boolean {
    return PATHS.includes(path)
  }

  accept(socket: WebSocketClient): WebSocketClientHandler {
    const client = new WebClient(socket, this.clock, this.clock.now())
    if (client.source.length === 0) {
      socket.close()
      return { onMessage: () => {}, onClosed: () => {} }
    }
    this.clients.add(client)
    return {
      onMessage: (text) => this.onMessage(client, text),
      onClosed: () => {
        this.clients.delete(client)
        for (const member of client.members.values()) this.remove(member)
      },
    }
  }

  /** Forgets those who were silent for too long. To be called every second or so. */
  tick(): void {
    const now = this.clock.now()
    // One announce may be missed.
    const timeout = (2 * this.core.rules.webInterval + 60) * 1000
    for (const client of this.clients) {
      for (const member of client.members.values()) {
        if (now - member.heard < timeout) break
        this.remove(member)
      }
      if (client.members.size === 0 && now - client.heard >= IDLE_MS) client.close()
    }
  }

  private onMessage(client: WebClient, text: string): void {
    const now = this.clock.now()
    client.heard = now
    const { counters } = this.core
    if (!this.core.admits(client.source, now)) return client.refuse(Refusal.tooMany, this.subjectOf(text))
    const request = readWebRequest(text)
    if (request === null || request.kind === 'wrong') {
      if (++client.garbage >= MAX_GARBAGE) return client.close()
      if (request === null) counters.ignored++
      else this.refuse(client, request.why, request.about)
      return
    }
    client.garbage = 0
    if (request.kind === 'announce') this.announce(client, request, now)
    else if (request.kind === 'answer') this.answer(client, request)
    else this.scrape(client, request.infoHashes)
  }

  /** Of what was too much. To look at much of it would be too much as well. */
  private subjectOf(text: string): WebSubject {
    const request = text.length <= MAX_REFUSED_LENGTH ? readWebRequest(text) : null
    return request === null ? {} : subjectOf(request)
  }

  private announce(client: WebClient, request: Announce, now: Millis): void {
    const { core } = this
    const { infoHash, event } = request
    if (!core.serves(fromLatin1(infoHash))) return this.refuse(client, Refusal.notAllowed, subjectOf(request))
    const result = event === 'stopped' ? this.leave(client, request) : this.enter(client, request, now)
    if (typeof result === 'string') return this.refuse(client, result, subjectOf(request))
    core.counters.announces++
    core.counters.webAnnounces++
    const swarm = this.swarms.get(infoHash) ?? null
    const [complete, incomplete] = [swarm?.seeds ?? 0, swarm?.downloaders ?? 0]
    const { webInterval } = core.rules
    client.send({ action: 'announce', info_hash: infoHash, interval: webInterval, complete, incomplete })
    this.tell(client, request, swarm)
    if (result !== null) this.passOn(result, request.offers)
  }

  /** Null: it is gone. */
  private leave(client: WebClient, { infoHash, peerId }: Announce): null {
    const member = client.members.get(infoHash)
    if (member?.peerId === peerId) this.remove(member)
    return null
  }

  private enter(client: WebClient, request: Announce, now: Millis): Member | string {
    const { infoHash, peerId, event, isSeed } = request
    const swarm = this.swarms.get(infoHash) ?? new WebSwarm<WebClient>(infoHash)
    let member = swarm.find(peerId)
    if (member !== null && member.client !== client) {
      // It is here again before its old connection is known to be gone; or somebody wants what is sent to it.
      const isOld = now - member.heard >= 2 * this.core.rules.webInterval * 1000
      if (member.client.address !== client.address && !isOld) return 'this peer_id is taken'
      this.remove(member)
      member = null
    }
    const wasSeed = member?.isSeed === true
    if (member === null) {
      const before = client.members.get(infoHash)
      if (before !== undefined) this.remove(before)
      if (client.isFull) return 'too many torrents by one connection'
      if (this.numMembers >= MAX_MEMBERS) return 'the tracker is full'
      if (swarm.size >= this.core.rules.maxPeersPerTorrent) this.remove(swarm.random(this.random))
      member = new WebMember(swarm, client, peerId, isSeed, now)
      this.swarms.set(infoHash, swarm)
      swarm.add(member)
      this.numMembers++
    } else swarm.setSeed(member, isSeed)
    if (event === 'completed' && !wasSeed) swarm.downloaded++
    client.hear(member, now)
    return member
  }

  /** Each offer goes to another peer. */
  private passOn(from: Member, offers: readonly WebOffer[]): void {
    const { swarm, client } = from
    const wanted = Math.min(offers.length, this.core.rules.maxNumWant)
    if (wanted === 0) return
    for (const [i, to] of swarm.pick(from, wanted, this.random).entries()) {
      if (!client.mayOffer()) return
      if (to.client === client || !to.client.mayBeOffered()) continue
      const { offerId, sdp } = offers[i]
      to.client.wasOffered(offerId, from)
      this.core.counters.offers++
      to.client.send({
        action: 'announce',
        info_hash: swarm.infoHash,
        peer_id: from.peerId,
        offer_id: offerId,
        offer: { type: 'offer', sdp },
      })
    }
  }

  private answer(client: WebClient, { infoHash, peerId, toPeerId, offerId, sdp }: Answer): void {
    const { counters } = this.core
    const member = client.members.get(infoHash)
    const to = member?.peerId === peerId ? client.takeOffer(infoHash, offerId) : null
    if (to?.peerId !== toPeerId) {
      counters.ignored++
      return
    }
    counters.answers++
    to.client.send({
      action: 'announce',
      info_hash: infoHash,
      peer_id: peerId,
      offer_id: offerId,
      answer: { type: 'answer', sdp },
    })
  }

  private scrape(client: WebClient, infoHashes: readonly string[]): void {
    const { core } = this
    core.counters.scrapes++
    const files: Record<string, object> = Object.create(null)
    for (const infoHash of infoHashes) {
      const swarm = this.swarms.get(infoHash)
      const { seeds = 0, downloaders = 0, downloaded = 0 } = swarm ?? {}
      files[infoHash] = { complete: seeds, incomplete: downloaders, downloaded }
    }
    client.send({ action: 'scrape', files, flags: { min_request_interval: core.rules.webInterval } })
  }

  private refuse(client: WebClient, why: string, about: WebSubject): void {
    this.core.counters.refused++
    client.refuse(why, about)
  }

  private remove(member: Member | null): void {
    if (member === null || member.swarm.find(member.peerId) !== member) return
    const { swarm, client } = member
    if (client.members.get(swarm.infoHash) === member) client.members.delete(swarm.infoHash)
    swarm.remove(member)
    this.numMembers--
    if (swarm.size === 0) this.swarms.delete(swarm.infoHash)
  }

  /** Whoever listens to announces hears of these, too; their port is 0. */
  private tell(
    client: WebClient,
    { infoHash, peerId, event, isSeed }: Announce,
    swarm: WebSwarm<WebClient> | null,
  ): void {
    const { core, query } = this
    if (core.onAnnounce === null) return
    query.infoHash.set(fromLatin1(infoHash))
    query.peerId.set(fromLatin1(peerId))
    const { bytes, length } = client.source
    query.source.set(bytes.subarray(0, length))
    query.event = event
    query.isSeed = isSeed
    core.onAnnounce(query, swarm)
  }
}
