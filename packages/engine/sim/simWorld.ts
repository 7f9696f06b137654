// Loaded here, because code that is loaded when first needed arrives in real time, not in virtual time.
import '../src/dht/signMutableItem.ts'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { addressToBytes } from '../src/address/addressBytes.ts'
import { isV6 } from '../src/address/endpoint.ts'
import { Session, type SessionParams } from '../src/api/session.ts'
import type { Platform } from '../src/platform/platform.ts'
import type { Millis } from '../src/util/flavored.ts'
import { type Duration, durationMillis } from './duration.ts'
import type { ProxyServerOptions } from './proxyServer.ts'
import { SeededRandom } from './seededRandom.ts'
import type { SimDisk, SimDiskOptions } from './simDisk.ts'
import { type CrashKeep, SimFileSystem } from './simFileSystem.ts'
import type { HostOptions, SimHost } from './simHost.ts'
import { answerHttpTracker } from './simHttpTracker.ts'
import { SimLog } from './simLog.ts'
import { SimNames } from './simNames.ts'
import { type Chunking, SimNetwork } from './simNetwork.ts'
import { SimPeer, type SimPeerOptions } from './simPeer.ts'
import { SimProcess } from './simProcess.ts'
import { SimProgram } from './simProgram.ts'
import { SimProxy } from './simProxy.ts'
import { SimRtc } from './simRtc.ts'
import { SimTracker, type TrackerOptions } from './simTracker.ts'
import { SimUdp } from './simUdp.ts'
import { SimUdpTracker } from './simUdpTracker.ts'
import { SimWeb } from './simWeb.ts'
import { VirtualTime, type VirtualTimeOptions } from './virtualTime.ts'

/** How a world is made. */
export interface SimWorldOptions extends VirtualTimeOptions {
  /** Everything random follows from it: the same seed plays the same scene. A 32-bit integer. Default 1. */
  readonly seed?: number
  /** How the bytes of connections are cut into chunks. Default `random`. */
  readonly chunking?: Chunking
}

/** A machine of a world: its line, and its disk. */
export interface WorldHostOptions extends HostOptions {
  /** The disk. Default: a fast one without limit. */
  readonly disk?: SimDiskOptions & {
    /** Bytes the disk holds; beyond that writing fails with `ENOSPC`. Default unlimited. */
    readonly capacity?: number
  }
}

/** A tracker of a world: what it answers, and where it is. */
export interface WorldTrackerOptions extends TrackerOptions {
  /** Address or addresses of its host. Default: that of the URL, or one of its own for a name. */
  readonly address?: string | readonly string[]
  /** One-way delay of its line, ms. Default 10. */
  readonly latency?: Millis
}

interface Machine {
  readonly host: SimHost
  readonly files: SimFileSystem
  readonly diskOptions: SimDiskOptions
  readonly programs: SimProgram[]
}

const ON_ITS_OWN = { enableDht: false, enableLsd: false, enableUpnp: false, enableNatpmp: false }

/**
 * A world to play scenarios in: machines, their disks, a network, names, web servers and trackers, all in virtual time
 * and all decided by one seed.
 *
 * @example
 * const world = new SimWorld({ seed: 7 })
 * const alice = world.host('alice', { up: 100_000, down: 1_000_000 })
 * const tracker = world.tracker('http://tracker.example/announce', { answers: ['timeout', 'ok'] })
 * const session = world.session(alice)
 * session.addTorrent({ ti: torrent.info(), savePath: '/save' })
 * world.run({ minutes: 5 })
 * await world.shutDown()
 * world.assertNothingLeft()
 */
export class SimWorld {
  readonly seed: number
  readonly time: VirtualTime
  readonly random: SeededRandom
  readonly log: SimLog
  readonly network: SimNetwork
  readonly names = new SimNames()
  readonly web = new SimWeb()
  readonly rtc = new SimRtc()
  /** What sessions report as failures of their own code (`sessionError`): none may happen, whatever peers do. */
  private readonly faults: Error[] = []
  private readonly machines = new Map<SimHost, Machine>()
  private readonly sessions: { readonly session: Session; readonly program: SimProgram }[] = []

  constructor(options: SimWorldOptions = {}) {
    this.seed = options.seed ?? 1
    this.time = new VirtualTime(options)
    this.random = new SeededRandom(this.seed)
    this.log = new SimLog(this.time)
    this.network = new SimNetwork(this.time, this.random.fork('network'), this.log)
    this.network.chunking = options.chunking ?? 'random'
  }

  /** Adds a machine. */
  host(name: string, options: WorldHostOptions = {}): SimHost {
    const host = this.network.addHost(name, options)
    const files = new SimFileSystem(this.time, this.random.fork(`files of ${name}`), options.disk?.capacity)
    this.machines.set(host, { host, files, diskOptions: options.disk ?? {}, programs: [] })
    return host
  }

  /** The files of a machine: they survive its programs. */
  filesOf(host: SimHost): SimFileSystem {
    return this.machine(host).files
  }

  /** Starts a program on the machine, beside those that run there. */
  start(host: SimHost): SimProgram {
    const { files, diskOptions, programs } = this.machine(host)
    const program = new SimProgram(this, host, files, diskOptions, programs.length)
    programs.push(program)
    return program
  }

  /** The program started last on the machine, if it was not killed; otherwise a new one. */
  programOn(host: SimHost): SimProgram {
    const last = this.machine(host).programs.at(-1)
    return last?.process.isAlive ? last : this.start(host)
  }

  platformOf(host: SimHost): Platform {
    return this.programOn(host).platform
  }

  diskOf(host: SimHost): SimDisk {
    return this.programOn(host).disk
  }

  /**
   * Starts a BitTorrent session on the machine, as a program of its own. It looks for nobody by itself: DHT, local
   * discovery and port mapping are off unless the settings turn them on.
   */
  session(host: SimHost, params: Omit<SessionParams, 'platform' | 'disk'> = {}): Session {
    const program = this.start(host)
    const settings = { ...ON_ITS_OWN, ...params.settings }
    const session = new Session({ ...params, settings, platform: program.platform, disk: program.disk })
    session.on('sessionError', ({ error }) => this.faults.push(error))
    this.sessions.push({ session, program })
    return session
  }

  /** Ends all sessions in order and lets the time pass that they need; those killed are left alone. */
  async shutDown(limit: Duration = { minutes: 5 }): Promise<void> {
    const running = this.sessions.splice(0).filter(({ program }) => program.process.isAlive)
    await this.settle(Promise.all(running.map(({ session }) => session.abort())), limit)
  }

  /** Ends all programs on the machine as `kill -9` does. What they have written stays written. */
  kill(host: SimHost): void {
    for (const program of this.machine(host).programs) program.kill()
  }

  /** The machine loses power: nobody is told, and what was not synced is lost but for what `keep` leaves. */
  crash(host: SimHost, keep: CrashKeep = 'nothing'): void {
    this.network.unplug(host)
    this.kill(host)
    this.filesOf(host).crash(keep)
    this.network.plugIn(host)
  }

  /**
   * A tracker under an `http:`, `https:` or `udp:` URL, on a host of its own, or on the one that has the address.
   * For a name the address is entered with the name servers.
   */
  tracker(url: string, options: WorldTrackerOptions = {}): SimTracker {
    const isUdp = url.startsWith('udp:')
    // URL takes apart only the schemes it knows.
    const parts = new URL(isUdp ? `http${url.slice(3)}` : url)
    const host = this.trackerHost(parts.hostname.replace(/^\[|\]$/g, ''), options)
    const tracker = new SimTracker(this.time, this.random.fork(`tracker ${url}`), url, options)
    if (isUdp) this.bindUdpTracker(host, Number(parts.port || 80), tracker)
    else this.web.serve(parts.origin, host, (request) => answerHttpTracker(tracker, request))
    return tracker
  }

  /** A proxy on a host of its own. */
  proxy(name: string, options: ProxyServerOptions & HostOptions): SimProxy {
    return new SimProxy(this.network, this.network.addHost(name, options), this.names, options)
  }

  /** A scripted peer on a host of its own. */
  peer(name: string, options: SimPeerOptions & HostOptions): SimPeer {
    return new SimPeer(this.network, this.network.addHost(name, options), options)
  }

  /** Lets time pass. */
  run(duration: Duration): void {
    this.time.run(duration)
  }

  /** Lets time pass until `predicate` holds. @throws when it does not within `limit`, by default an hour. */
  runUntil(predicate: () => boolean, limit: Duration = { hours: 1 }): void {
    if (!this.time.runUntil(predicate, limit)) {
      throw new Error(`after ${durationMillis(limit) / 1000} s still not: ${String(predicate).slice(0, 200)}`)
    }
  }

  /**
   * Lets time pass until the promise is settled, and gives its result. Other code that waits for promises goes on in
   * between. @throws when nothing is left to happen, or `limit` (default an hour) is over.
   */
  async settle<T>(promise: Promise<T>, limit: Duration = { hours: 1 }): Promise<T> {
    const state = { done: false }
    const finish = () => {
      state.done = true
    }
    promise.then(finish, finish)
    const end = this.time.now() + durationMillis(limit)
    for (;;) {
      // All promise reactions run before the next turn of the real event loop.
      await nextTurn()
      if (state.done) return promise
      if (!this.time.step(end - this.time.now()))
        throw new Error('nothing more happens, and the promise is not settled')
    }
  }

  /** Like `run`, but code that waits for promises goes on between events. */
  async pass(duration: Duration): Promise<void> {
    const end = this.time.now() + durationMillis(duration)
    do await nextTurn()
    while (this.time.step(end - this.time.now()))
    this.time.run(end - this.time.now())
  }

  /** Everything programs hold that were not killed: timers, sockets, requests, slots, jobs. */
  leftovers(): readonly string[] {
    return [...this.machines.values()].flatMap(({ programs }) => programs.flatMap((program) => program.leftovers()))
  }

  /** @throws when a program holds anything: for the end of a scenario, after all was shut down. */
  assertNothingLeft(): void {
    const fault = this.faults[0]
    if (fault !== undefined) throw fault
    const left = this.leftovers()
    if (left.length > 0) throw new Error(`left over at the end:\n  ${left.slice(0, 50).join('\n  ')}`)
  }

  private machine(host: SimHost): Machine {
    const machine = this.machines.get(host)
    if (machine === undefined) throw new Error(`${host.name} is not of this world`)
    return machine
  }

  private trackerHost(name: string, options: WorldTrackerOptions): SimHost {
    const literal = addressToBytes(name) !== null
    const address = options.address ?? (literal ? name : undefined)
    const known =
      typeof address === 'string' ? this.network.hosts.find((h) => h.addresses.includes(address)) : undefined
    const host =
      known ??
      this.network.hostNamed(`tracker ${name}`) ??
      this.network.addHost(`tracker ${name}`, { ...options, address })
    if (!literal) this.names.set(name, host.addresses)
    return host
  }

  private bindUdpTracker(host: SimHost, port: number, tracker: SimTracker): void {
    const process = new SimProcess(this.network, host)
    const udp = new SimUdp(process)
    for (const address of new Set(host.addresses.map((each) => (isV6(each) ? '::' : '0.0.0.0')))) {
      const front = new SimUdpTracker(process, this.random.fork(`${address} of ${tracker.url}`), tracker)
      udp.bind({ address, port }, front, (socket) => {
        if ('code' in socket) throw socket
        front.attach(socket)
      })
    }
  }
}
