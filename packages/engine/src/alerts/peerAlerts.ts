import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PeerRequest } from '../metainfo/peerRequest.ts'
import type { SocketType } from '../platform/socketType.ts'
import type { BlockIndex, PieceIndex } from '../util/flavored.ts'
import { Alert, AlertCategory } from './alert.ts'
import { TorrentAlert, type TorrentAlertFields } from './torrentAlerts.ts'

/** What every alert about one peer of a torrent is built from. */
export interface PeerAlertFields extends TorrentAlertFields {
  readonly endpoint: Endpoint
  /** The peer's id, 20 bytes; all zero while it is not known. */
  readonly pid: Uint8Array
}

/** Base of all alerts about one peer of a torrent. */
export abstract class PeerAlert extends TorrentAlert {
  readonly endpoint: Endpoint
  /** The peer's id, 20 bytes; all zero while it is not known. */
  readonly pid: Uint8Array

  constructor(fields: PeerAlertFields) {
    super(fields)
    this.endpoint = fields.endpoint
    this.pid = fields.pid
  }

  /** The manual's name of `endpoint`. */
  get ip(): Endpoint {
    return this.endpoint
  }

  override message(): string {
    return `${super.message()} peer ${endpointText(this.endpoint)}`
  }
}

/** A connection to a peer stands. @see manual, peer_connect_alert */
export class PeerConnectAlert extends PeerAlert {
  static override readonly category = AlertCategory.debug
  readonly type = 'peerConnect'
  readonly socketType: SocketType

  constructor(fields: PeerAlertFields & { readonly socketType: SocketType }) {
    super(fields)
    this.socketType = fields.socketType
  }

  override message(): string {
    return `${super.message()} connected (${this.socketType})`
  }
}

/** A peer sent too many corrupt pieces and will not be talked to again. @see manual, peer_ban_alert */
export class PeerBanAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'peerBan'

  override message(): string {
    return `${super.message()} banned peer`
  }
}

/** A peer stopped sending what it was asked for. @see manual, peer_snubbed_alert */
export class PeerSnubbedAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'peerSnubbed'

  override message(): string {
    return `${super.message()} peer snubbed`
  }
}

/** A snubbed peer sends again. @see manual, peer_unsnubbed_alert */
export class PeerUnsnubbedAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'peerUnsnubbed'

  override message(): string {
    return `${super.message()} peer unsnubbed`
  }
}

/** A peer broke the protocol and was disconnected. @see manual, peer_error_alert */
export class PeerErrorAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'peerError'
  readonly error: LibtorrentError

  constructor(fields: PeerAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} peer error [${this.error.operation}] [${this.error.category}]: ${this.error.message}`
  }
}

/**
 * A peer was disconnected, other than for what `PeerErrorAlert` reports, or one that connected to us was not let in. If it was not let in because there is no torrent
 * it could be for, `handle` is not valid: it has the info-hash the peer asked for, zeros if it asked for none.
 * @see manual, peer_disconnected_alert
 */
export class PeerDisconnectedAlert extends PeerAlert {
  static override readonly category = AlertCategory.debug
  readonly type = 'peerDisconnected'
  /** Why. */
  readonly error: LibtorrentError

  constructor(fields: PeerAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} disconnecting [${this.error.operation}] [${this.error.category}]: ${this.error.message}`
  }
}

/** A peer asked for something it may not have. @see manual, invalid_request_alert */
export class InvalidRequestAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'invalidRequest'
  /** What it asked for. */
  readonly request: PeerRequest

  constructor(fields: PeerAlertFields & { readonly request: PeerRequest }) {
    super(fields)
    this.request = fields.request
  }

  override message(): string {
    const { piece, start, length } = this.request
    return `${super.message()} peer sent an invalid piece request (piece: ${piece} start: ${start} len: ${length})`
  }
}

/** What every alert about one block is built from. */
export interface BlockAlertFields extends PeerAlertFields {
  readonly blockIndex: BlockIndex
  readonly pieceIndex: PieceIndex
}

/** Base of all alerts about one block and the peer it was asked from. */
export abstract class BlockAlert extends PeerAlert {
  readonly blockIndex: BlockIndex
  readonly pieceIndex: PieceIndex

  constructor(fields: BlockAlertFields) {
    super(fields)
    this.blockIndex = fields.blockIndex
    this.pieceIndex = fields.pieceIndex
  }

  /** `(piece: 3 block: 1)`. */
  protected get where(): string {
    return `(piece: ${this.pieceIndex} block: ${this.blockIndex})`
  }
}

/** A peer refused or ignored a request. @see manual, request_dropped_alert */
export class RequestDroppedAlert extends BlockAlert {
  static override readonly category = AlertCategory.progress | AlertCategory.peer
  readonly type = 'requestDropped'

  override message(): string {
    return `${super.message()} peer dropped block ${this.where}`
  }
}

/** A request timed out. @see manual, block_timeout_alert */
export class BlockTimeoutAlert extends BlockAlert {
  static override readonly category = AlertCategory.progress | AlertCategory.peer
  readonly type = 'blockTimeout'

  override message(): string {
    return `${super.message()} peer timed out request ${this.where}`
  }
}

/** A requested block arrived. @see manual, block_finished_alert */
export class BlockFinishedAlert extends BlockAlert {
  static override readonly category = AlertCategory.progress
  readonly type = 'blockFinished'

  override message(): string {
    return `${super.message()} block finished downloading ${this.where}`
  }
}

/** A block was requested. @see manual, block_downloading_alert */
export class BlockDownloadingAlert extends BlockAlert {
  static override readonly category = AlertCategory.progress
  readonly type = 'blockDownloading'

  override message(): string {
    return `${super.message()} requested block ${this.where}`
  }
}

/** A block arrived that was not asked for, or no longer. @see manual, unwanted_block_alert */
export class UnwantedBlockAlert extends BlockAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'unwantedBlock'

  override message(): string {
    return `${super.message()} received block not in download queue ${this.where}`
  }
}

/** Why a peer was refused (libtorrent 1.0, `peer_blocked_alert::reason_t`). The values are the names. */
export const PeerBlockedReason = {
  ipFilter: 'ipFilter',
  portFilter: 'portFilter',
  i2pMixed: 'i2pMixed',
  privilegedPorts: 'privilegedPorts',
  utpDisabled: 'utpDisabled',
  tcpDisabled: 'tcpDisabled',
  /** A web seed, or a peer somebody named, that could be an attack on our network (2.0; setting `ssrfMitigation`). */
  ssrfMitigation: 'ssrfMitigation',
} as const
export type PeerBlockedReason = (typeof PeerBlockedReason)[keyof typeof PeerBlockedReason]

/**
 * A peer was refused before a word was exchanged, or its connection closed because a filter no longer lets it through.
 * `handle` is no valid one when it connected to us and was refused before it said which torrent it is about.
 * @see manual, peer_blocked_alert
 */
export class PeerBlockedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.ipBlock
  readonly type = 'peerBlocked'
  /** The address that was refused. */
  readonly ip: string
  readonly reason: PeerBlockedReason

  constructor(fields: TorrentAlertFields & { readonly ip: string; readonly reason: PeerBlockedReason }) {
    super(fields)
    this.ip = fields.ip
    this.reason = fields.reason
  }

  override message(): string {
    return `${super.message()}: blocked peer ${this.ip} [${this.reason}]`
  }
}

/**
 * Somebody connected to a listen socket. Which torrent is meant is not known yet.
 * @see libtorrent `incoming_connection_alert` (1.0)
 */
export class IncomingConnectionAlert extends Alert {
  static override readonly category = AlertCategory.peer
  readonly type = 'incomingConnection'
  readonly socketType: SocketType
  readonly endpoint: Endpoint

  constructor(fields: { readonly socketType: SocketType; readonly endpoint: Endpoint }) {
    super()
    this.socketType = fields.socketType
    this.endpoint = fields.endpoint
  }

  /** libtorrent 1.0's name of `endpoint`. */
  get ip(): Endpoint {
    return this.endpoint
  }

  override message(): string {
    return `incoming connection from ${endpointText(this.endpoint)} (${this.socketType})`
  }
}

/**
 * A web seed could not be used: its server did not answer as it should, or what it gave was wrong. Unless it is of no use
 * at all it is asked again later. @see manual, url_seed_alert
 */
export class UrlSeedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.peer | AlertCategory.error
  readonly type = 'urlSeed'
  /** What was asked for: the seed's URL or that of a file below it, without credentials and query (1.2, server_url). */
  readonly url: string
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly url: string; readonly error: LibtorrentError }) {
    super(fields)
    this.url = fields.url
    this.error = fields.error
  }

  /** What went wrong, in words. */
  get msg(): string {
    return this.error.message
  }

  override message(): string {
    return `${super.message()} url seed (${this.url}) failed: ${this.msg}`
  }
}
