import { isLoopback } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { isI2pName } from '../address/i2pAddress.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { PeerBlockedAlert, PeerBlockedReason } from '../alerts/peerAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { isPrivilegedPort } from '../peers/peerStanding.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Settings } from '../settings/settings.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { WebSeeds } from './webSeeds.ts'

/** The session's filters, as torrents see them. */
export interface TorrentFilters {
  isBlocked(address: string): boolean
  isPortBlocked(port: number): boolean
  /** Why the IP filter forbids an address, or null. */
  refusal(address: string): LibtorrentError | null
  /** The IP filter does not apply to this torrent, or does again. */
  setExempt(torrent: object, isExempt: boolean): void
}

export interface PeerFilterHost {
  readonly session: Pick<TorrentHost, 'filters'>
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly swarm: Swarm
  readonly webSeeds: WebSeeds
  /** A torrent of I2P. */
  readonly isI2p: boolean
  needsSaveResume: boolean
  /** Something of the status is different. */
  changed(): void
}

/**
 * Whom a torrent has nothing to do with: addresses of the IP filter, if that applies to it, ports of the port filter,
 * privileged ports, and who is outside of I2P if it is a torrent of I2P, or the other way round. Each peer that is refused
 * for one of these is told of by `peerBlocked`.
 */
export class PeerFilter {
  private isOn = true
  private wasMixing: boolean

  constructor(
    private readonly host: PeerFilterHost,
    applies: boolean,
  ) {
    this.wasMixing = host.settings.allowI2pMixed
    this.restore(applies)
  }

  /** The IP filter applies to this torrent. */
  get applies(): boolean {
    return this.isOn
  }

  /** As resume data says; before there are peers. */
  restore(applies: boolean): void {
    this.isOn = applies
    this.host.session.filters.setExempt(this, !applies)
  }

  /** Peers that are blocked now are left at once; those that were refused before have to be named again. */
  set(applies: boolean): void {
    if (this.isOn === applies) return
    this.restore(applies)
    this.host.needsSaveResume = true
    this.onIpFilterChanged()
    this.host.changed()
  }

  /** The torrent leaves the session. */
  end(): void {
    this.host.session.filters.setExempt(this, false)
  }

  /** Whether a peer somebody named is not to be heard of. */
  refuses({ address, port }: Endpoint): boolean {
    const reason = this.addressReason(address) ?? (isI2pName(address) ? null : this.portReason(port))
    if (reason !== null) this.post(address, reason)
    return reason !== null
  }

  /**
   * Whether a peer is not to be heard of because of who named it: what is told of this very machine by somebody elsewhere
   * (`isNear` false) would have us knock at its services (setting `ssrfMitigation`; peer exchange and links have rules of
   * their own).
   */
  refusesNamed({ address }: Endpoint, isNear: boolean): boolean {
    if (isNear || !this.host.settings.ssrfMitigation || !isLoopback(address)) return false
    this.post(address, PeerBlockedReason.ssrfMitigation)
    return true
  }

  /** Whether a peer that connects to us is not let in. Where it listens does not matter. */
  refusesIncoming({ address }: Endpoint): boolean {
    const reason = this.addressReason(address)
    if (reason !== null) this.post(address, reason)
    return reason !== null
  }

  /** Why a server is not to be spoken to, or null. */
  refusal(address: string): LibtorrentError | null {
    return this.isOn ? this.host.session.filters.refusal(address) : null
  }

  isPortBlocked(port: number): boolean {
    return this.host.session.filters.isPortBlocked(port)
  }

  onServerRefused(address: string, error: LibtorrentError): void {
    if (error.is('bannedByIpFilter')) this.post(address, PeerBlockedReason.ipFilter)
    else if (error.is('ssrfMitigation')) this.post(address, PeerBlockedReason.ssrfMitigation)
  }

  onIpFilterChanged(): void {
    const { swarm, webSeeds } = this.host
    const isOut = ({ address }: TorrentPeer) => this.isBlocked(address)
    swarm.eraseWhere(this.telling(PeerBlockedReason.ipFilter, isOut), 'bannedByIpFilter')
    webSeeds.onFilterChanged((address) => this.refusal(address))
  }

  onPortFilterChanged(): void {
    const { swarm, webSeeds } = this.host
    const isOut = (peer: TorrentPeer<PeerConnection>) => isOursToDial(peer) && this.isPortBlocked(peer.port)
    swarm.eraseWhere(this.telling(PeerBlockedReason.portFilter, isOut), 'portBlocked')
    webSeeds.onFilterChanged((address) => this.refusal(address))
  }

  onSettingsChanged(): void {
    const { allowI2pMixed } = this.host.settings
    if (this.wasMixing && !allowI2pMixed) {
      const isMixed = ({ address }: TorrentPeer) => this.isMixed(address)
      this.host.swarm.eraseWhere(this.telling(PeerBlockedReason.i2pMixed, isMixed), 'peerBanned')
    }
    this.wasMixing = allowI2pMixed
    if (!this.host.settings.noConnectPrivilegedPorts) return
    const isOut = (peer: TorrentPeer<PeerConnection>) => isOursToDial(peer) && isPrivilegedPort(peer.port)
    this.host.swarm.eraseWhere(this.telling(PeerBlockedReason.privilegedPorts, isOut), 'portBlocked')
  }

  private isBlocked(address: string): boolean {
    return this.isOn && this.host.session.filters.isBlocked(address)
  }

  private addressReason(address: string): PeerBlockedReason | null {
    if (this.isMixed(address)) return PeerBlockedReason.i2pMixed
    return this.isBlocked(address) ? PeerBlockedReason.ipFilter : null
  }

  /** The peer is in I2P and the torrent is not, or the other way round, and that is not allowed. */
  private isMixed(address: string): boolean {
    return !this.host.settings.allowI2pMixed && isI2pName(address) !== this.host.isI2p
  }

  private portReason(port: number): PeerBlockedReason | null {
    if (this.isPortBlocked(port)) return PeerBlockedReason.portFilter
    const isPrivileged = this.host.settings.noConnectPrivilegedPorts && isPrivilegedPort(port)
    return isPrivileged ? PeerBlockedReason.privilegedPorts : null
  }

  /** Of those that were merely known nothing is said: a list of a hundred thousand ranges hits many. */
  private telling(reason: PeerBlockedReason, isOut: (peer: TorrentPeer<PeerConnection>) => boolean) {
    return (peer: TorrentPeer<PeerConnection>): boolean => {
      if (!isOut(peer)) return false
      if (peer.connection !== null) this.post(peer.address, reason)
      return true
    }
  }

  private post(ip: string, reason: PeerBlockedReason): void {
    const { alerts, ref } = this.host
    if (alerts.wants(PeerBlockedAlert.category)) alerts.post(new PeerBlockedAlert({ handle: ref, ip, reason }))
  }
}

/** Its port is one we connect, or have connected, to: rules about ports say nothing of those who connected to us. */
function isOursToDial({ address, connectable, connection }: TorrentPeer<PeerConnection>): boolean {
  // Ports mean nothing in I2P.
  return connectable && !isI2pName(address) && (connection === null || connection.isOutgoing)
}
