import type { Alert } from './alert.ts'
import type { TorrentRef } from './alertSink.ts'
import {
  DhtAnnounceAlert,
  DhtBootstrapAlert,
  DhtErrorAlert,
  DhtGetPeersAlert,
  DhtImmutableItemAlert,
  DhtLiveNodesAlert,
  DhtMutableItemAlert,
  DhtPutAlert,
  DhtReplyAlert,
  DhtStatsAlert,
} from './dhtAlerts.ts'
import { LsdErrorAlert, LsdPeerAlert, PortmapAlert, PortmapErrorAlert, PortmapLogAlert } from './discoveryAlerts.ts'
import {
  BlockDownloadingAlert,
  BlockFinishedAlert,
  BlockTimeoutAlert,
  IncomingConnectionAlert,
  InvalidRequestAlert,
  PeerBanAlert,
  PeerBlockedAlert,
  PeerConnectAlert,
  PeerDisconnectedAlert,
  PeerErrorAlert,
  PeerSnubbedAlert,
  PeerUnsnubbedAlert,
  RequestDroppedAlert,
  UnwantedBlockAlert,
  UrlSeedAlert,
} from './peerAlerts.ts'
import {
  AlertsDroppedAlert,
  ExternalIpAlert,
  I2pAlert,
  ListenFailedAlert,
  ListenSucceededAlert,
  SessionErrorAlert,
  Socks5Alert,
  StateUpdateAlert,
  UdpErrorAlert,
} from './sessionAlerts.ts'
import {
  CacheFlushedAlert,
  FastresumeRejectedAlert,
  FileCompletedAlert,
  FileErrorAlert,
  FileRenamedAlert,
  FileRenameFailedAlert,
  ReadPieceAlert,
  SaveResumeDataAlert,
  SaveResumeDataFailedAlert,
  StorageMovedAlert,
  StorageMovedFailedAlert,
  TorrentDeletedAlert,
  TorrentDeleteFailedAlert,
} from './storageAlerts.ts'
import {
  AddTorrentAlert,
  HashFailedAlert,
  MetadataFailedAlert,
  MetadataReceivedAlert,
  PerformanceAlert,
  PieceFinishedAlert,
  StateChangedAlert,
  StatsAlert,
  TorrentAddedAlert,
  TorrentCheckedAlert,
  TorrentErrorAlert,
  TorrentFinishedAlert,
  TorrentNeedCertAlert,
  TorrentPausedAlert,
  TorrentRemovedAlert,
  TorrentResumedAlert,
  TorrentUpdateAlert,
} from './torrentAlerts.ts'
import {
  AnonymousModeAlert,
  ScrapeFailedAlert,
  ScrapeReplyAlert,
  TrackerAnnounceAlert,
  TrackerErrorAlert,
  TrackeridAlert,
  TrackerReplyAlert,
  TrackerWarningAlert,
} from './trackerAlerts.ts'

/**
 * How hard the queue tries to deliver an alert: with n alerts in the queue and a limit of `limit`, an alert is
 * dropped when n >= limit * (1 + priority). Things asked for or reported once can still be queued when the frequent
 * ones have filled it. @see libtorrent 2.0, `alert_priority`
 */
export const AlertPriority = {
  normal: 0,
  /** Reported once; looking at the status later shows the same. */
  high: 1,
  /** The only answer to a request. */
  critical: 2,
  /** About the queue itself. */
  meta: 3,
} as const
export type AlertPriority = (typeof AlertPriority)[keyof typeof AlertPriority]

type AlertClass = { readonly category: number; readonly prototype: Alert }

/** One kind of alert. Its text belongs to the class. */
export interface AlertRow<Class extends AlertClass = AlertClass> {
  readonly alertClass: Class
  /** Bits of `AlertCategory`: it is posted when one of them is in the mask. */
  readonly category: number
  /** libtorrent's class name. */
  readonly libtorrentName: string
  /** libtorrent's number of the kind (`alert_type`), fixed since 1.2. */
  readonly id: number
  readonly priority: AlertPriority
  /** The libtorrent version whose manual describes it. */
  readonly since: '0.15' | '1.0' | '1.1' | '1.2'
}

function row<Class extends AlertClass>(
  id: number,
  libtorrentName: string,
  alertClass: Class,
  priority: AlertPriority,
  since: AlertRow['since'],
): AlertRow<Class> {
  return { alertClass, category: alertClass.category, libtorrentName, id, priority, since }
}

const { normal, high, critical, meta } = AlertPriority

/** Every kind of alert there is, by its `type`. Types, docs and the queue's priorities are derived from here. */
export const alertTable = {
  torrentAdded: row(3, 'torrent_added_alert', TorrentAddedAlert, normal, '1.0'),
  torrentRemoved: row(4, 'torrent_removed_alert', TorrentRemovedAlert, critical, '1.0'),
  readPiece: row(5, 'read_piece_alert', ReadPieceAlert, critical, '0.15'),
  fileCompleted: row(6, 'file_completed_alert', FileCompletedAlert, normal, '0.15'),
  fileRenamed: row(7, 'file_renamed_alert', FileRenamedAlert, critical, '0.15'),
  fileRenameFailed: row(8, 'file_rename_failed_alert', FileRenameFailedAlert, critical, '0.15'),
  performance: row(9, 'performance_alert', PerformanceAlert, normal, '0.15'),
  stateChanged: row(10, 'state_changed_alert', StateChangedAlert, high, '0.15'),
  trackerError: row(11, 'tracker_error_alert', TrackerErrorAlert, high, '0.15'),
  trackerWarning: row(12, 'tracker_warning_alert', TrackerWarningAlert, normal, '0.15'),
  scrapeReply: row(13, 'scrape_reply_alert', ScrapeReplyAlert, critical, '0.15'),
  scrapeFailed: row(14, 'scrape_failed_alert', ScrapeFailedAlert, critical, '0.15'),
  trackerReply: row(15, 'tracker_reply_alert', TrackerReplyAlert, normal, '0.15'),
  dhtReply: row(16, 'dht_reply_alert', DhtReplyAlert, normal, '0.15'),
  trackerAnnounce: row(17, 'tracker_announce_alert', TrackerAnnounceAlert, normal, '0.15'),
  hashFailed: row(18, 'hash_failed_alert', HashFailedAlert, normal, '0.15'),
  peerBan: row(19, 'peer_ban_alert', PeerBanAlert, normal, '0.15'),
  peerUnsnubbed: row(20, 'peer_unsnubbed_alert', PeerUnsnubbedAlert, normal, '0.15'),
  peerSnubbed: row(21, 'peer_snubbed_alert', PeerSnubbedAlert, normal, '0.15'),
  peerError: row(22, 'peer_error_alert', PeerErrorAlert, normal, '0.15'),
  peerConnect: row(23, 'peer_connect_alert', PeerConnectAlert, normal, '0.15'),
  peerDisconnected: row(24, 'peer_disconnected_alert', PeerDisconnectedAlert, normal, '0.15'),
  invalidRequest: row(25, 'invalid_request_alert', InvalidRequestAlert, normal, '0.15'),
  torrentFinished: row(26, 'torrent_finished_alert', TorrentFinishedAlert, high, '0.15'),
  pieceFinished: row(27, 'piece_finished_alert', PieceFinishedAlert, normal, '1.0'),
  requestDropped: row(28, 'request_dropped_alert', RequestDroppedAlert, normal, '0.15'),
  blockTimeout: row(29, 'block_timeout_alert', BlockTimeoutAlert, normal, '0.15'),
  blockFinished: row(30, 'block_finished_alert', BlockFinishedAlert, normal, '0.15'),
  blockDownloading: row(31, 'block_downloading_alert', BlockDownloadingAlert, normal, '0.15'),
  unwantedBlock: row(32, 'unwanted_block_alert', UnwantedBlockAlert, normal, '0.15'),
  storageMoved: row(33, 'storage_moved_alert', StorageMovedAlert, critical, '0.15'),
  storageMovedFailed: row(34, 'storage_moved_failed_alert', StorageMovedFailedAlert, critical, '0.15'),
  torrentDeleted: row(35, 'torrent_deleted_alert', TorrentDeletedAlert, critical, '0.15'),
  torrentDeleteFailed: row(36, 'torrent_delete_failed_alert', TorrentDeleteFailedAlert, critical, '0.15'),
  saveResumeData: row(37, 'save_resume_data_alert', SaveResumeDataAlert, critical, '0.15'),
  saveResumeDataFailed: row(38, 'save_resume_data_failed_alert', SaveResumeDataFailedAlert, critical, '0.15'),
  torrentPaused: row(39, 'torrent_paused_alert', TorrentPausedAlert, high, '0.15'),
  torrentResumed: row(40, 'torrent_resumed_alert', TorrentResumedAlert, high, '0.15'),
  torrentChecked: row(41, 'torrent_checked_alert', TorrentCheckedAlert, high, '1.0'),
  urlSeed: row(42, 'url_seed_alert', UrlSeedAlert, normal, '0.15'),
  fileError: row(43, 'file_error_alert', FileErrorAlert, high, '0.15'),
  metadataFailed: row(44, 'metadata_failed_alert', MetadataFailedAlert, normal, '0.15'),
  metadataReceived: row(45, 'metadata_received_alert', MetadataReceivedAlert, normal, '0.15'),
  udpError: row(46, 'udp_error_alert', UdpErrorAlert, normal, '1.0'),
  externalIp: row(47, 'external_ip_alert', ExternalIpAlert, normal, '0.15'),
  listenFailed: row(48, 'listen_failed_alert', ListenFailedAlert, critical, '0.15'),
  listenSucceeded: row(49, 'listen_succeeded_alert', ListenSucceededAlert, critical, '0.15'),
  portmapError: row(50, 'portmap_error_alert', PortmapErrorAlert, normal, '0.15'),
  portmap: row(51, 'portmap_alert', PortmapAlert, normal, '0.15'),
  portmapLog: row(52, 'portmap_log_alert', PortmapLogAlert, normal, '0.15'),
  fastresumeRejected: row(53, 'fastresume_rejected_alert', FastresumeRejectedAlert, critical, '0.15'),
  peerBlocked: row(54, 'peer_blocked_alert', PeerBlockedAlert, normal, '0.15'),
  dhtAnnounce: row(55, 'dht_announce_alert', DhtAnnounceAlert, normal, '0.15'),
  dhtGetPeers: row(56, 'dht_get_peers_alert', DhtGetPeersAlert, normal, '0.15'),
  stats: row(57, 'stats_alert', StatsAlert, normal, '0.15'),
  cacheFlushed: row(58, 'cache_flushed_alert', CacheFlushedAlert, high, '0.15'),
  anonymousMode: row(59, 'anonymous_mode_alert', AnonymousModeAlert, normal, '1.0'),
  lsdPeer: row(60, 'lsd_peer_alert', LsdPeerAlert, normal, '1.0'),
  trackerid: row(61, 'trackerid_alert', TrackeridAlert, normal, '1.0'),
  dhtBootstrap: row(62, 'dht_bootstrap_alert', DhtBootstrapAlert, normal, '1.0'),
  torrentError: row(64, 'torrent_error_alert', TorrentErrorAlert, high, '1.0'),
  torrentNeedCert: row(65, 'torrent_need_cert_alert', TorrentNeedCertAlert, critical, '1.0'),
  incomingConnection: row(66, 'incoming_connection_alert', IncomingConnectionAlert, normal, '1.0'),
  addTorrent: row(67, 'add_torrent_alert', AddTorrentAlert, critical, '1.0'),
  stateUpdate: row(68, 'state_update_alert', StateUpdateAlert, high, '1.0'),
  torrentUpdate: row(71, 'torrent_update_alert', TorrentUpdateAlert, critical, '1.0'),
  dhtError: row(73, 'dht_error_alert', DhtErrorAlert, normal, '1.0'),
  dhtImmutableItem: row(74, 'dht_immutable_item_alert', DhtImmutableItemAlert, critical, '1.0'),
  dhtMutableItem: row(75, 'dht_mutable_item_alert', DhtMutableItemAlert, critical, '1.0'),
  dhtPut: row(76, 'dht_put_alert', DhtPutAlert, critical, '1.0'),
  i2p: row(77, 'i2p_alert', I2pAlert, normal, '1.0'),
  lsdError: row(82, 'lsd_error_alert', LsdErrorAlert, normal, '1.2'),
  dhtStats: row(83, 'dht_stats_alert', DhtStatsAlert, critical, '1.1'),
  sessionError: row(90, 'session_error_alert', SessionErrorAlert, normal, '1.1'),
  dhtLiveNodes: row(91, 'dht_live_nodes_alert', DhtLiveNodesAlert, critical, '1.1'),
  alertsDropped: row(95, 'alerts_dropped_alert', AlertsDroppedAlert, meta, '1.2'),
  socks5: row(96, 'socks5_alert', Socks5Alert, normal, '1.2'),
} as const

/** The `type` of an alert: `'torrentFinished'`, `'trackerError'`, ... */
export type AlertType = keyof typeof alertTable

/** The alert of each `type`: `AlertOf<'torrentFinished'>` is `TorrentFinishedAlert`. */
export type AlertOf<Type extends AlertType> = InstanceType<(typeof alertTable)[Type]['alertClass']>

/** Any alert of this library; `type` tells which. */
export type AnyAlert = { [Type in AlertType]: AlertOf<Type> }[AlertType]

/**
 * The same alert with its loosely typed fields made exact. The alerts know torrents only by `TorrentRef`; the API
 * says what they really are: `TypedAlert<AnyAlert, { handle: TorrentHandle; status: readonly TorrentStatus[] }>`.
 */
export type TypedAlert<A, Fields extends { readonly handle: TorrentRef }> = A extends unknown
  ? A & { readonly [Name in keyof Fields as Name extends keyof A ? Name : never]: Fields[Name] }
  : never
