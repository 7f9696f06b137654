import { isUnspecified } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { UdpSocket } from '../platform/udp.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import type { Lease } from './lease.ts'
import { LeaseTable } from './leaseTable.ts'
import { isMappedOn, type MappingInterface } from './mappingInterfaces.ts'
import {
  decodeNatpmpResponse,
  encodeAddressRequest,
  encodeNatpmpMap,
  NATPMP_VERSION,
  NatpmpResult,
} from './natpmpMessages.ts'
import { decodePcpResponse, encodePcpMap, PCP_NONCE_BYTES, PcpResult } from './pcpMessages.ts'
import type { MapperHost } from './portMapperHost.ts'
import type { PortMapping } from './portMapping.ts'
import { natpmpError, pcpError, routerGoneError } from './portmapErrors.ts'
import { RouterEpoch } from './routerEpoch.ts'
import { RouterNews } from './routerNews.ts'

/** Has the system's refusal to send reported (alert `udpError`): nothing else comes of it here. */
const reported = () => {}

/** Where NAT-PMP and PCP routers listen. */
export const NATPMP_PORT = 5351

/** RFC 6886 section 3.1: a request is sent nine times, after 250 ms and then twice as long each time. */
const FIRST_RETRY_MS: Millis = 250
const MAX_ATTEMPTS = 9
/** At the end nobody wants to wait. */
const MAX_ATTEMPTS_STOPPING = 3
/** Old NAT-PMP routers drop what they do not know: after so many attempts in PCP every other is in NAT-PMP. */
const PCP_ATTEMPTS = 4
/** What never answered is left alone so long, as in libtorrent. */
const SILENCE_MS: Millis = 2 * 3600 * 1000
/** What the router lacks just now, it may have soon. */
const PASSING_TROUBLE_MS: Millis = 5 * 60 * 1000
const MIN_RETRY_MS: Millis = 30_000
/** Renewed when half of the time is over (RFC 6886 section 3.3, RFC 6887 section 11.2.1). */
const RENEW_FRACTION = 0.5
const DEFAULT_LEASE: Seconds = 3600
const MAX_LEASE_MS: Millis = 24 * 3600 * 1000
/** What a router that started again is asked to do anew, it is asked at most so often. */
const MIN_REMAP_MS: Millis = 30_000
/** All hosts of a network hear of the restart at once; they come back at different times (RFC 6887 section 14.1.3). */
const REMAP_SPREAD_MS = 5000
/** Longest sleep: timers of some systems take no more than 24 days. */
const MAX_SLEEP_MS: Millis = 3600 * 1000
/** Time for packets to leave a socket before it is closed. */
const LINGER_MS: Millis = 100

type Task = { readonly kind: 'address' } | { readonly kind: 'map' | 'unmap'; readonly lease: Lease }

type GatewayState =
  | { readonly name: 'opening' }
  | { readonly name: 'idle'; readonly socket: UdpSocket; readonly wake: Timer | null }
  | { readonly name: 'asking'; readonly socket: UdpSocket; readonly task: Task; attempts: number; timer: Timer }
  | { readonly name: 'closed' }

/** PCP is tried first, as in libtorrent; `known` once the router has answered in it. */
type Version = { readonly name: 'pcp' | 'natpmp'; readonly known: boolean }

/**
 * The mappings at one router that speaks NAT-PMP (RFC 6886) or PCP (RFC 6887). Asks for one thing at a time, and
 * believes only what comes from the router's address and port and answers what was asked. PCP proves more: each mapping
 * has a nonce.
 */
export class NatpmpGateway {
  private readonly localAddress: string
  private readonly leases = new LeaseTable()
  private readonly epoch = new RouterEpoch()
  private state: GatewayState = { name: 'opening' }
  private version: Version = { name: 'pcp', known: false }
  private hasAnswered = false
  private readonly news: RouterNews
  /** When NAT-PMP is asked for the address outside. */
  private addressDueAt: Millis = 0
  private remappedAt: Millis = Number.NEGATIVE_INFINITY
  private stopped: (() => void) | null = null

  constructor(
    private readonly host: MapperHost,
    readonly address: string,
    private readonly on: Pick<MappingInterface, 'local' | 'isPreferred'>,
  ) {
    this.localAddress = on.local.address
    this.news = new RouterNews(host, address, on.local.address)
  }

  start(): void {
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => this.onPacket(packet, from),
      onError: (error: LibtorrentError) => this.fail(error),
    }
    this.host.platform.udp.bind({ address: this.localAddress, port: 0 }, handler, (result) => {
      if (result instanceof LibtorrentError) return this.fail(result)
      if (this.state.name !== 'opening') return result.close()
      this.state = { name: 'idle', socket: result, wake: null }
      this.proceed()
    })
    this.mappingsChanged()
  }

  /** Mappings were added. */
  mappingsChanged(): void {
    if (this.stopped !== null) return
    const { clock, random } = this.host.platform
    const wanted = [...this.host.mappings()].filter(({ localAddress }) => isMappedOn(localAddress, this.on))
    this.leases.addMissing(wanted, clock.now(), () => random.bytes(PCP_NONCE_BYTES))
    this.proceed()
  }

  mappingRemoved(mapping: PortMapping): void {
    const { state } = this
    this.leases.leave(mapping)
    if (state.name === 'asking' && state.task.kind === 'map' && state.task.lease.mapping === mapping) this.idle()
    this.proceed()
  }

  /** Takes all mappings back, as far as the router answers, and closes. `done` is called later. */
  stop(done: () => void): void {
    this.stopped = done
    // Of a router never heard of, nothing is to be waited for; a request may have reached it nevertheless.
    if (!this.version.known) return this.stopUnanswered()
    this.leases.leaveAll()
    if (this.state.name === 'asking') this.idle()
    this.proceed()
  }

  /** Closes at once. */
  close(): void {
    const { state, stopped } = this
    this.state = { name: 'closed' }
    this.stopped = null
    if (state.name === 'idle') state.wake?.cancel()
    if (state.name === 'asking') state.timer.cancel()
    if (state.name === 'idle' || state.name === 'asking') state.socket.close()
    stopped?.()
  }

  /** What the router told everybody, which it does when it starts (RFC 6886 section 3.2.1, RFC 6887 section 14.1). */
  onAnnouncement(packet: Uint8Array, from: Endpoint): void {
    if (from.address !== this.address || from.port !== NATPMP_PORT || this.state.name === 'closed') return
    const response = packet[0] === NATPMP_VERSION ? decodeNatpmpResponse(packet) : decodePcpResponse(packet)
    if (response?.kind !== 'announce' && response?.kind !== 'address') return
    if (response.result !== 0) return
    if (response.kind === 'address') this.tellAddress(response.address)
    const now = this.host.platform.clock.now()
    if (this.epoch.startedAgain(now, response.epoch)) this.remap(this.host.platform.random.below(REMAP_SPREAD_MS))
    this.proceed()
  }

  private stopUnanswered(): void {
    const { state } = this
    if (state.name !== 'idle' && state.name !== 'asking') return this.close()
    for (const lease of this.leases.all) {
      if (lease.mayBeHeld) state.socket.send(this.packetFor({ kind: 'unmap', lease }), this.endpoint, reported)
    }
    this.idle()
    this.host.platform.timers.after(LINGER_MS, () => this.close())
  }

  private fail(error: LibtorrentError): void {
    if (this.state.name === 'closed') return
    this.host.log(() => `NAT-PMP from ${this.localAddress} failed: ${error.message}`)
    for (const lease of this.leases.all) this.report(lease, error)
    this.close()
  }

  /** Does what is due, if nothing is under way. */
  private proceed(): void {
    const { state } = this
    if (state.name !== 'idle') return
    const now = this.host.platform.clock.now()
    state.wake?.cancel()
    if (this.stopped !== null && this.leases.isEmpty) return this.close()
    if (this.addressIsDue(now)) return this.ask(state.socket, { kind: 'address' })
    const lease = this.leases.due(now)
    if (lease !== null) {
      const kind = lease.state.name === 'leaving' ? 'unmap' : 'map'
      if (kind === 'map') lease.requested()
      else lease.state = { name: 'removing' }
      return this.ask(state.socket, { kind, lease })
    }
    const next = Math.min(this.leases.nextDueAt, now + MAX_SLEEP_MS) - now
    const wake = this.leases.isEmpty ? null : this.host.platform.timers.after(next, () => this.proceed())
    this.state = { name: 'idle', socket: state.socket, wake }
  }

  private addressIsDue(now: Millis): boolean {
    const { name, known } = this.version
    return name === 'natpmp' && known && this.stopped === null && !this.leases.isEmpty && now >= this.addressDueAt
  }

  private ask(socket: UdpSocket, task: Task): void {
    this.state = { name: 'asking', socket, task, attempts: 0, timer: { cancel() {} } }
    this.transmit()
  }

  private transmit(): void {
    const { state } = this
    if (state.name !== 'asking') return
    const limit = this.stopped === null ? MAX_ATTEMPTS : MAX_ATTEMPTS_STOPPING
    if (state.attempts >= limit) return this.unanswered(state.task)
    if (!this.version.known) this.version = { name: guessedVersion(state.attempts), known: false }
    const { task } = state
    this.host.log(() => `to ${this.address} by ${this.version.name}: ${taskText(task)}`)
    state.socket.send(this.packetFor(task), this.endpoint, reported)
    state.timer = this.host.platform.timers.after(FIRST_RETRY_MS * 2 ** state.attempts, () => this.transmit())
    state.attempts++
  }

  private packetFor(task: Task): Uint8Array {
    // Whether it speaks NAT-PMP is asked by what is wanted of it first.
    const asksVersion = this.version.name === 'natpmp' && !this.version.known && this.stopped === null
    if (task.kind === 'address' || asksVersion) return encodeAddressRequest()
    const { mapping, externalPort, nonce } = task.lease
    const lifetime = task.kind === 'unmap' ? 0 : this.leaseDuration
    if (this.version.name === 'natpmp') {
      return encodeNatpmpMap(mapping.protocol, mapping.localPort, externalPort, lifetime)
    }
    const { localAddress } = this
    const { externalAddress } = this.news
    const { protocol, localPort } = mapping
    return encodePcpMap({ protocol, localAddress, localPort, externalPort, externalAddress, lifetime, nonce })
  }

  private onPacket(packet: Uint8Array, from: Endpoint): void {
    if (from.address !== this.address || from.port !== NATPMP_PORT || this.state.name !== 'asking') return
    if (packet[0] === NATPMP_VERSION) this.onNatpmp(packet)
    else this.onPcp(packet)
  }

  private onNatpmp(packet: Uint8Array): void {
    const response = decodeNatpmpResponse(packet)
    const task = this.task
    if (response === null || task === null) return
    if (response.kind === 'unsupportedVersion') return this.refusedVersion('natpmp')
    if (response.kind === 'address') {
      if (task.kind !== 'address' && this.version.known) return
      const ok = response.result === NatpmpResult.success
      const now = this.answered('natpmp', response.epoch)
      this.takeBack(task)
      this.addressDueAt = now + (ok ? this.leaseDuration * 1000 * RENEW_FRACTION : PASSING_TROUBLE_MS)
      if (ok) this.tellAddress(response.address)
      return this.proceed()
    }
    if (task.kind === 'address') return
    const { protocol, localPort } = task.lease.mapping
    if (response.protocol !== protocol || response.localPort !== localPort) return
    const now = this.answered('natpmp', response.epoch)
    if (task.kind === 'unmap') this.leases.forget(task.lease)
    else if (response.result !== NatpmpResult.success) {
      const passing = response.result === 3 || response.result === 4
      this.refused(task.lease, natpmpError(response.result), now, passing ? PASSING_TROUBLE_MS : SILENCE_MS)
    } else this.granted(task.lease, now, response.externalPort, response.lifetime)
    this.proceed()
  }

  private onPcp(packet: Uint8Array): void {
    const response = decodePcpResponse(packet)
    const task = this.task
    if (response === null || task === null || task.kind === 'address' || response.kind === 'announce') return
    if (response.kind === 'unsupportedVersion') return this.refusedVersion('pcp')
    const { lease } = task
    if (response.kind === 'error') {
      // It does not say which request it answers: believed only of a router that speaks PCP or may do so.
      if (this.version.name !== 'pcp') return
    } else {
      const { protocol, localPort } = lease.mapping
      if (!equalBytes(response.nonce, lease.nonce)) return
      if (response.protocol !== protocol || response.localPort !== localPort) return
    }
    const now = this.answered('pcp', response.epoch)
    if (task.kind === 'unmap') this.leases.forget(lease)
    else if (response.result !== PcpResult.success || response.kind === 'error') {
      const wait = Math.min(Math.max(response.lifetime * 1000, MIN_RETRY_MS), SILENCE_MS)
      this.refused(lease, pcpError(response.result), now, wait)
    } else {
      this.tellAddress(response.externalAddress)
      this.granted(lease, now, response.externalPort, response.lifetime)
    }
    this.proceed()
  }

  /** The router does not know the version it was asked in. `speaks` is that of its answer. */
  private refusedVersion(speaks: Version['name']): void {
    const { state, version } = this
    if (state.name !== 'asking') return
    const { task } = state
    this.hasAnswered = true
    if (version.known && version.name === 'natpmp') return this.failVersion(task)
    // A PCP router that refuses PCP speaks another version of it, and may know NAT-PMP.
    const next = speaks === 'pcp' && version.name === 'pcp' ? 'natpmp' : speaks
    this.version = { name: next, known: true }
    this.idle()
    this.takeBack(task)
    this.proceed()
  }

  /** What was being done is still to be done, before all else. */
  private takeBack(task: Task): void {
    if (task.kind === 'map') task.lease.lost(0)
    else if (task.kind === 'unmap') task.lease.state = { name: 'leaving' }
  }

  private failVersion(task: Task): void {
    const now = this.host.platform.clock.now()
    this.idle()
    this.version = { name: 'pcp', known: false }
    if (task.kind === 'map') this.refused(task.lease, natpmpError(1), now, SILENCE_MS)
    else if (task.kind === 'unmap') this.leases.forget(task.lease)
    else this.addressDueAt = now + SILENCE_MS
    this.proceed()
  }

  /** asking -> idle. Returns the time. */
  private answered(version: Version['name'], epoch: Seconds): Millis {
    const now = this.host.platform.clock.now()
    this.version = { name: version, known: true }
    this.hasAnswered = true
    this.idle()
    if (this.epoch.startedAgain(now, epoch)) this.remap(0)
    return now
  }

  private granted(lease: Lease, now: Millis, externalPort: number, lifetime: Seconds): void {
    if (externalPort === 0 || lifetime === 0) return this.refused(lease, natpmpError(4), now, PASSING_TROUBLE_MS)
    lease.granted(now, Math.min(lifetime * 1000, MAX_LEASE_MS), RENEW_FRACTION)
    lease.externalPort = externalPort
    this.host.log(() => `${this.address} mapped ${taskText({ kind: 'map', lease })} for ${lifetime} s`)
    this.news.onMapped(lease)
  }

  private refused(lease: Lease, error: LibtorrentError, now: Millis, delay: Millis): void {
    lease.postponed(now, delay)
    this.host.log(
      () => `${this.address} refused ${lease.mapping.protocol} ${lease.mapping.localPort}: ${error.message}`,
    )
    this.report(lease, error)
  }

  /** The router said nothing: what is due now is not asked for one by one. */
  private unanswered(task: Task): void {
    const now = this.host.platform.clock.now()
    this.host.log(() => `${this.address} does not answer`)
    this.idle()
    this.version = { name: 'pcp', known: false }
    const delay = this.hasAnswered ? PASSING_TROUBLE_MS : SILENCE_MS
    if (task.kind === 'address') this.addressDueAt = now + delay
    for (const lease of [...this.leases.all]) {
      if (lease.state.name === 'leaving' || lease.state.name === 'removing') this.leases.forget(lease)
      else if (lease.state.name === 'requesting' || lease.dueAt <= now) {
        if (lease.state.name !== 'requesting') lease.requested()
        const stillMapped = lease.unanswered(now, delay)
        // A network without such a router is no failure; one that went away is.
        if (!stillMapped && lease.reported !== 0) this.report(lease, routerGoneError())
      }
    }
    this.proceed()
  }

  private remap(delay: Millis): void {
    const now = this.host.platform.clock.now()
    if (now - this.remappedAt < MIN_REMAP_MS) return
    this.remappedAt = now
    this.host.log(() => `${this.address} started again; mapping everything anew`)
    this.addressDueAt = now
    for (const lease of this.leases.all) if (lease.state.name === 'mapped') lease.lost(now + delay)
  }

  private tellAddress(address: string | null): void {
    if (address !== null && !isUnspecified(address)) this.news.onExternalAddress(address)
  }

  private report(lease: Lease, error: LibtorrentError): void {
    // At the end nobody wants to know.
    if (this.stopped === null) this.news.onFailed(lease, error)
  }

  private idle(): void {
    const { state } = this
    if (state.name !== 'asking') return
    state.timer.cancel()
    this.state = { name: 'idle', socket: state.socket, wake: null }
  }

  private get task(): Task | null {
    return this.state.name === 'asking' ? this.state.task : null
  }

  private get endpoint(): Endpoint {
    return { address: this.address, port: NATPMP_PORT }
  }

  private get leaseDuration(): Seconds {
    const { natpmpLeaseDuration } = this.host.settings
    return natpmpLeaseDuration > 0 ? natpmpLeaseDuration : DEFAULT_LEASE
  }
}

function guessedVersion(attempts: number): Version['name'] {
  return attempts < PCP_ATTEMPTS || (attempts - PCP_ATTEMPTS) % 2 === 1 ? 'pcp' : 'natpmp'
}

function taskText(task: Task): string {
  if (task.kind === 'address') return 'external address'
  const { mapping, externalPort } = task.lease
  return `${task.kind} ${mapping.protocol} ${externalPort} -> ${mapping.localPort}`
}
