import { normalizeAddress } from '../address/addressBytes.ts'
import { isUnspecified } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'
import { httpError, LibtorrentError, libtorrentError, upnpError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { HttpResponse } from '../platform/http.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { type DeviceDescription, type MappingService, readDescription } from './deviceDescription.ts'
import type { Lease } from './lease.ts'
import { LeaseTable } from './leaseTable.ts'
import { isMappedOn, type MappingInterface } from './mappingInterfaces.ts'
import type { MapperHost } from './portMapperHost.ts'
import type { PortMapping } from './portMapping.ts'
import { RouterNews } from './routerNews.ts'
import { encodeSoap, readSoapReply, type SoapReply } from './soap.ts'
import { answerRefusal } from './upnpRefusal.ts'

const DESCRIPTION_TIMEOUT_MS: Millis = 30_000
const DESCRIPTION_MAX_BYTES = 256 * 1024
const ACTION_TIMEOUT_MS: Millis = 10_000
const ACTION_MAX_BYTES = 64 * 1024
/** Renewed when so much of the time is over, as in libtorrent. */
const RENEW_FRACTION = 0.75
/** A mapping for ever is made again so often: many routers forget them with the next restart. */
const PERMANENT_MS: Millis = 3600 * 1000
/** What a router refused is tried again after this. */
const REFUSED_MS: Millis = 30 * 60 * 1000
/** After so many failed exchanges in a row the device is gone. */
const MAX_FAILURES = 3
const FIRST_RETRY_MS: Millis = 5000
/** A description is fetched so often at most. */
const MAX_FETCHES = 3
/** The longest lease of WANIPConnection:2 (section 2.3.16): a week. */
const MAX_LEASE: Seconds = 604_800
/** Longest sleep: timers of some systems take no more than 24 days. */
const MAX_SLEEP_MS: Millis = 3600 * 1000

type Task =
  | { readonly kind: 'description' }
  | { readonly kind: 'address' }
  | { readonly kind: 'map' | 'unmap'; readonly lease: Lease }

type DeviceState =
  | { readonly name: 'new' }
  /** An exchange is under way; answers to any other are ignored. */
  | { readonly name: 'asking'; readonly task: Task; cancel: () => void }
  | { readonly name: 'idle'; readonly wake: Timer | null }
  /** The description could not be fetched; `start` tries again. */
  | { readonly name: 'unreachable' }
  | { readonly name: 'closed' }

export interface UpnpDeviceHost extends MapperHost {
  /** The description was read: it is a router, or of no use. */
  deviceKnown(device: UpnpDevice): void
  /** A router that does not answer any more; it has closed itself. */
  deviceGone(device: UpnpDevice): void
}

/** One UPnP device, and our mappings there if it is a router. Asks for one thing at a time, only at its own address. */
export class UpnpDevice {
  private readonly leases = new LeaseTable()
  private readonly address: string
  private readonly localAddress: string
  private state: DeviceState = { name: 'new' }
  private services: readonly MappingService[] = []
  private description: DeviceDescription | null = null
  private readonly news: RouterNews
  private addressDueAt: Millis = 0
  /** The router knows only mappings for ever (error 725). */
  private permanentOnly = false
  /** It has AddAnyPortMapping, as version 2 demands and not all do. */
  private hasAnyPort = true
  private failures = 0
  private fetches = 0
  private servicesTried = 1
  private stopped: (() => void) | null = null

  constructor(
    private readonly host: UpnpDeviceHost,
    readonly location: URL,
    readonly on: MappingInterface,
  ) {
    this.address = location.hostname
    this.localAddress = on.local.address
    this.news = new RouterNews(host, this.address, this.localAddress)
  }

  /** Whether it can map ports. */
  get isRouter(): boolean {
    return this.services.length > 0 && this.state.name !== 'closed'
  }

  /** Empty while unknown. */
  get model(): string {
    return this.description?.model ?? ''
  }

  /** Whether the description could not be fetched, and may be asked for again. */
  get canStartAgain(): boolean {
    return this.state.name === 'unreachable' && this.fetches < MAX_FETCHES
  }

  start(): void {
    this.fetches++
    this.ask({ kind: 'description' }, (done) =>
      this.get(this.location, undefined, DESCRIPTION_TIMEOUT_MS, DESCRIPTION_MAX_BYTES, done),
    )
  }

  mappingsChanged(): void {
    if (!this.isRouter || this.stopped !== null) return
    const wanted = [...this.host.mappings()].filter(({ localAddress }) => isMappedOn(localAddress, this.on))
    this.leases.addMissing(wanted, this.host.platform.clock.now(), () => EMPTY_BYTES)
    this.proceed()
  }

  mappingRemoved(mapping: PortMapping): void {
    const { state } = this
    this.leases.leave(mapping)
    if (state.name === 'asking' && state.task.kind === 'map' && state.task.lease.mapping === mapping) this.idle()
    this.proceed()
  }

  /** Takes all mappings back and closes. `done` is called when that is over, perhaps at once. */
  stop(done: () => void): void {
    this.stopped = done
    if (!this.isRouter) return this.close()
    this.leases.leaveAll()
    this.idle()
    this.proceed()
  }

  /** Closes at once. */
  close(): void {
    const { state, stopped } = this
    this.state = { name: 'closed' }
    this.stopped = null
    if (state.name === 'asking') state.cancel()
    if (state.name === 'idle') state.wake?.cancel()
    stopped?.()
  }

  /** Does what is due, if nothing is under way. */
  private proceed(): void {
    const { state } = this
    if (state.name !== 'idle' || !this.isRouter) return
    const now = this.host.platform.clock.now()
    state.wake?.cancel()
    if (this.stopped !== null && this.leases.isEmpty) return this.close()
    if (this.stopped === null && now >= this.addressDueAt) return this.askAddress()
    const lease = this.leases.due(now)
    if (lease?.state.name === 'leaving') return this.unmap(lease)
    if (lease !== null) return this.map(lease)
    this.sleep(Math.min(this.leases.nextDueAt, now + MAX_SLEEP_MS) - now)
  }

  private sleep(delay: Millis): void {
    const wake = this.leases.isEmpty ? null : this.host.platform.timers.after(delay, () => this.proceed())
    this.state = { name: 'idle', wake }
  }

  private askAddress(): void {
    this.call({ kind: 'address' }, 'GetExternalIPAddress', [])
  }

  private map(lease: Lease): void {
    const { mapping, externalPort } = lease
    lease.requested()
    const lifetime = this.leaseDuration
    this.host.log(() => `${this.address}: map ${mapping.protocol} ${externalPort} -> ${mapping.localPort}`)
    this.call({ kind: 'map', lease }, this.usesAnyPort ? 'AddAnyPortMapping' : 'AddPortMapping', [
      ['NewRemoteHost', ''],
      ['NewExternalPort', externalPort],
      ['NewProtocol', mapping.protocol.toUpperCase()],
      ['NewInternalPort', mapping.localPort],
      ['NewInternalClient', this.localAddress],
      ['NewEnabled', 1],
      // A router's list can be read by everybody in its network.
      ['NewPortMappingDescription', this.host.settings.anonymousMode ? '' : this.host.settings.userAgent],
      ['NewLeaseDuration', lifetime],
    ])
  }

  private unmap(lease: Lease): void {
    const { mapping, externalPort } = lease
    lease.state = { name: 'removing' }
    this.host.log(() => `${this.address}: unmap ${mapping.protocol} ${externalPort}`)
    this.call({ kind: 'unmap', lease }, 'DeletePortMapping', [
      ['NewRemoteHost', ''],
      ['NewExternalPort', externalPort],
      ['NewProtocol', mapping.protocol.toUpperCase()],
    ])
  }

  private call(task: Task, action: string, args: readonly (readonly [string, string | number])[]): void {
    const { type, controlUrl } = this.services[0]
    const body = encodeSoap(type, action, args)
    const headers = { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${type}#${action}"` }
    this.ask(task, (done) => this.get(controlUrl, { body, headers }, ACTION_TIMEOUT_MS, ACTION_MAX_BYTES, done))
  }

  /** Starts an exchange; its answer goes to `onAnswer` unless something else has begun by then. */
  private ask(task: Task, begin: (done: (result: HttpResponse | LibtorrentError) => void) => () => void): void {
    const state: DeviceState = { name: 'asking', task, cancel: () => {} }
    this.state = state
    state.cancel = begin((result) => {
      if (this.state !== state) return
      if (result instanceof LibtorrentError) return this.onFailure(task, result)
      if (task.kind === 'description') return this.onDescription(state, result)
      this.onReply(state, result)
    })
  }

  private get(
    url: URL,
    post: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> } | undefined,
    timeout: Millis,
    maxBodyBytes: number,
    done: (result: HttpResponse | LibtorrentError) => void,
  ): () => void {
    return this.host.platform.http.get(
      {
        ...post,
        url: url.href,
        completionTimeout: timeout,
        receiveTimeout: timeout,
        maxBodyBytes,
        // Nowhere else than to the device itself.
        maxRedirects: 0,
        checkAddress: (address) => (address === this.address ? null : libtorrentError('ssrfMitigation')),
        localAddress: this.localAddress,
      },
      done,
    )
  }

  private onDescription(state: DeviceState, { status, body }: HttpResponse): void {
    if (status !== 200) return this.useless(`HTTP status ${status}`)
    readDescription(this.host.platform.xml, body, this.location, (description) => {
      if (this.state !== state) return
      if (description === null) return this.useless('its description is not XML')
      if (description.services.length === 0) return this.useless('it does not map ports')
      this.description = description
      this.services = description.services
      this.host.log(() => `router ${description.model || 'without a name'} at ${this.services[0].controlUrl.href}`)
      this.state = { name: 'idle', wake: null }
      this.host.deviceKnown(this)
      this.mappingsChanged()
    })
  }

  private useless(why: string): void {
    this.host.log(() => `${this.location.href} is of no use: ${why}`)
    this.close()
    this.host.deviceKnown(this)
  }

  private onReply(state: DeviceState & { name: 'asking' }, response: HttpResponse): void {
    const type = response.headers['content-type'] ?? ''
    if (type !== '' && !isXml(type)) return this.onFailure(state.task, httpError(response.status))
    readSoapReply(this.host.platform.xml, response.body, (reply) => {
      if (this.state !== state) return
      const { status } = response
      if (reply === null || (status !== 200 && reply.errorCode === null)) {
        return this.onFailure(state.task, status === 200 ? malformed() : httpError(status, { operation: 'portmap' }))
      }
      this.failures = 0
      this.idle()
      const { task } = state
      if (task.kind === 'address') this.onAddress(reply)
      else if (task.kind === 'unmap') this.leases.forget(task.lease)
      else if (task.kind === 'map') this.onMapped(task.lease, reply)
      this.proceed()
    })
  }

  private onAddress(reply: SoapReply): void {
    const now = this.host.platform.clock.now()
    const address = normalizeAddress(reply.values.NewExternalIPAddress ?? '')
    this.addressDueAt = now + PERMANENT_MS
    if (address === null || isV6(address) || isUnspecified(address)) {
      // Of several connections another may be the one in use.
      if (this.servicesTried <= this.services.length && this.leases.all.every((lease) => !lease.mayBeHeld)) {
        this.services = [...this.services.slice(1), this.services[0]]
        if (this.servicesTried++ < this.services.length) this.addressDueAt = now
      }
      return this.host.log(() => `${this.address} does not tell its address (error ${reply.errorCode ?? 'none'})`)
    }
    this.news.onExternalAddress(address)
  }

  private onMapped(lease: Lease, reply: SoapReply): void {
    if (reply.errorCode !== null) return this.onRefused(lease, reply.errorCode, reply.errorDescription)
    const now = this.host.platform.clock.now()
    if (this.usesAnyPort) {
      const text = reply.values.NewReservedPort ?? ''
      const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
      if (port < 1 || port > 65535) {
        this.hasAnyPort = false
        return lease.postponed(now, 0)
      }
      lease.externalPort = port
    }
    const lifetime = this.leaseDuration
    if (lifetime === 0) lease.granted(now, PERMANENT_MS, 1)
    else lease.granted(now, lifetime * 1000, RENEW_FRACTION)
    this.news.onMapped(lease)
  }

  private onRefused(lease: Lease, errorCode: number, description: string): void {
    const now = this.host.platform.clock.now()
    const { externalPort, refusals } = lease
    const { localPort } = lease.mapping
    const refusal = { errorCode, externalPort, localPort, refusals, permanent: this.leaseDuration === 0 }
    const answer = answerRefusal({ ...refusal, anyPort: this.usesAnyPort }, this.host.platform.random)
    this.host.log(() => `${this.address} refused: ${errorCode} ${description} (${answer.do})`)
    lease.refusals++
    if (answer.do === 'fail') {
      lease.refusals = 0
      // Next time the port that is wanted may be free.
      lease.externalPort = lease.mapping.externalPort
      lease.mayBeHeld = false
      lease.postponed(now, REFUSED_MS)
      return this.report(lease, upnpError(errorCode, { operation: 'portmap' }))
    }
    if (answer.do === 'retry') lease.externalPort = answer.externalPort
    else if (answer.do === 'retryPermanent') this.permanentOnly = true
    else this.hasAnyPort = false
    lease.postponed(now, 0)
  }

  /** The exchange itself failed. */
  private onFailure(task: Task, error: LibtorrentError): void {
    this.host.log(() => `${this.location.host}: ${task.kind} failed: ${error.message}`)
    if (task.kind === 'description') {
      this.state = { name: 'unreachable' }
      return this.host.deviceKnown(this)
    }
    const now = this.host.platform.clock.now()
    this.idle()
    if (task.kind === 'unmap') this.leases.forget(task.lease)
    if (task.kind === 'map') task.lease.postponed(now, 0)
    // It can map ports without knowing its address.
    if (task.kind === 'address') this.addressDueAt = now + PERMANENT_MS
    this.failures++
    if (this.stopped !== null) return this.proceed()
    if (this.failures >= MAX_FAILURES) return this.gone(error)
    const wake = this.host.platform.timers.after(FIRST_RETRY_MS * 2 ** (this.failures - 1), () => this.proceed())
    this.state = { name: 'idle', wake }
  }

  private gone(error: LibtorrentError): void {
    for (const lease of this.leases.all) this.report(lease, error)
    this.close()
    this.host.deviceGone(this)
  }

  private report(lease: Lease, error: LibtorrentError): void {
    // At the end nobody wants to know.
    if (this.stopped === null) this.news.onFailed(lease, error)
  }

  /** asking -> idle; nobody hears the answer. */
  private idle(): void {
    const { state } = this
    if (state.name !== 'asking') return
    state.cancel()
    this.state = { name: 'idle', wake: null }
  }

  private get usesAnyPort(): boolean {
    return this.hasAnyPort && this.services[0].type.endsWith(':2')
  }

  /** 0: for ever. */
  private get leaseDuration(): Seconds {
    return this.permanentOnly ? 0 : Math.min(Math.max(0, this.host.settings.upnpLeaseDuration), MAX_LEASE)
  }
}

function isXml(contentType: string): boolean {
  const type = contentType.split(';')[0].trim().toLowerCase()
  return /^(text|application)\/((soap\+)?xml)$/.test(type)
}

function malformed(): LibtorrentError {
  return libtorrentError('httpParseError', { operation: 'portmap', message: "the router's answer is not XML" })
}
