/** libtorrent-ts: the public API. */

export type { Endpoint } from './address/endpoint.ts'
export { Alert, AlertCategory } from './alerts/alert.ts'
export type { TorrentRef } from './alerts/alertSink.ts'
export { type AlertOf, type AlertRow, type AlertType, type AnyAlert, alertTable } from './alerts/alertTable.ts'
export * from './alerts/dhtAlerts.ts'
export type { DhtLiveNode, DhtLookup, DhtRoutingBucket } from './alerts/dhtReports.ts'
export * from './alerts/discoveryAlerts.ts'
export * from './alerts/peerAlerts.ts'
export * from './alerts/sessionAlerts.ts'
export * from './alerts/storageAlerts.ts'
export * from './alerts/torrentAlerts.ts'
export { TorrentState } from './alerts/torrentState.ts'
export * from './alerts/trackerAlerts.ts'
export type { AlertFor, SessionAlert, SessionEvent } from './api/alertingSession.ts'
export type { DhtMutableItem, DhtPutResult, DhtSalt } from './api/dhtCalls.ts'
export {
  ed25519AddScalar,
  ed25519CreateKeypair,
  ed25519CreateSeed,
  ed25519KeyExchange,
  ed25519Sign,
  signMutableItem,
} from './api/dhtKeys.ts'
export type { DhtSettings } from './api/dhtSettings.ts'
export { type HashedFiles, type HashFilesOptions, hashFiles } from './api/hashFiles.ts'
export { type LoadedIpFilter, loadIpFilter } from './api/loadIpFilter.ts'
export type { PeSettings } from './api/peSettings.ts'
export type { ProxySettings } from './api/proxyView.ts'
export { RemoveFlags, Session, type SessionParams } from './api/session.ts'
export {
  addFiles,
  type CreateTorrentOptions,
  createTorrentFromPath,
  setPieceHashes,
} from './api/setPieceHashes.ts'
export { PauseFlags, TorrentHandle } from './api/torrentHandle.ts'
export { type BdecodeLimits, type BdecodeResult, bdecode } from './bencode/bdecode.ts'
export { bencode } from './bencode/bencode.ts'
export type { BNode, BNodeType } from './bencode/bNode.ts'
export {
  bdecodeEntry,
  type Entry,
  type EntryObject,
  type EntryType,
  entryDict,
  entryInteger,
  entryList,
  entryString,
  entryType,
  findKey,
  Preformatted,
  printEntry,
  toEntry,
} from './bencode/entry.ts'
export type { Ed25519Keypair } from './crypto/ed25519.ts'
export { ed25519Verify } from './crypto/ed25519Verify.ts'
export { Hasher, sha1, sha256 } from './crypto/sha1.ts'
export type { SampledInfohashes } from './dht/nodeLookups.ts'
export { DisabledStorage } from './disk/disabledStorage.ts'
export { MemoryStorage } from './disk/memoryStorage.ts'
export type { StorageConstructor, StorageInterface } from './disk/storageInterface.ts'
export {
  type ErrorRow,
  httpErrors,
  i2pErrors,
  libtorrentErrors,
  socksErrors,
  upnpErrors,
} from './errors/errorTables.ts'
export {
  type ErrorCategory,
  type HttpErrorCode,
  type I2pErrorCode,
  LibtorrentError,
  type LibtorrentErrorCode,
  libtorrentError,
  type Operation,
  type SocksErrorCode,
  type UpnpErrorCode,
} from './errors/libtorrentError.ts'
export { IpFilter, type IpFilterRanges, type IpRange } from './filter/ipFilter.ts'
export type { BadLine, IpFilterList } from './filter/ipFilterList.ts'
export { PortFilter } from './filter/portFilter.ts'
export { automaticPieceSize, CreateFlags, CreateTorrent } from './metainfo/createTorrent.ts'
export { type FileEntry, FileFlags, type FileSlice } from './metainfo/fileEntry.ts'
export { FileStorage } from './metainfo/fileStorage.ts'
export { DEFAULT_FINGERPRINT, Fingerprint, generateFingerprint } from './metainfo/fingerprint.ts'
export { clientFingerprint, identifyClient } from './metainfo/identifyClient.ts'
export {
  type FileRange,
  type MagnetParams,
  type MagnetSource,
  makeMagnetUri,
  parseMagnetUri,
} from './metainfo/magnet.ts'
export type { MutableTorrent } from './metainfo/mutableTorrent.ts'
export type { PeerRequest } from './metainfo/peerRequest.ts'
export { TorrentInfo } from './metainfo/torrentInfo.ts'
export { DEFAULT_TORRENT_LIMITS, type TorrentLimits } from './metainfo/torrentLimits.ts'
export { type NodeAddress, TrackerSource, type TrackerUrl, type WebSeedEntry } from './metainfo/trackerUrl.ts'
export type { DiskIoOptions } from './node/diskWorkers.ts'
export { NodeHttp } from './node/nodeHttp.ts'
export { PeerSource } from './peers/peerSource.ts'
export { BlockState, PieceState } from './picker/downloadingPiece.ts'
export type { BlockInfo, PartialPieceInfo } from './picker/piecePicker.ts'
export type { Clock, Timer, Timers } from './platform/clock.ts'
export type { FileStat, StorageAllocation, StorageFile, StorageParams } from './platform/disk.ts'
export type { HttpClient, HttpRequest, HttpResponse } from './platform/http.ts'
export { MoveFlags } from './platform/moveFlags.ts'
export type { Platform } from './platform/platform.ts'
export type { ProxyLogin, ProxyRoute } from './platform/proxyRoute.ts'
export type { Random } from './platform/random.ts'
export type { Resolver } from './platform/resolver.ts'
export { SocketType } from './platform/socketType.ts'
export type { Stream, StreamHandler, Tcp, TcpConnectOptions, TcpListener } from './platform/tcp.ts'
export type {
  CertificateNames,
  Tls,
  TlsClientOptions,
  TlsContext,
  TlsIdentity,
  TlsServerOptions,
} from './platform/tls.ts'
export type { Udp, UdpHandler, UdpSocket } from './platform/udp.ts'
export { type ProxyPolicySettings, proxyRouteOf } from './proxy/proxyPolicy.ts'
export { readResumeData } from './resume/readResumeData.ts'
export { emptyResumeState, type ResumeState } from './resume/resumeState.ts'
export { writeResumeData } from './resume/writeResumeData.ts'
export type { SessionStatus } from './session/sessionStatus.ts'
export { ProxyType } from './settings/proxyType.ts'
export * from './settings/settingEnums.ts'
export {
  applySettings,
  classicSettings,
  defaultSettings,
  highPerformanceSeed,
  minMemoryUsage,
  type Settings,
  settingByName,
} from './settings/settings.ts'
export { type SettingName, settingsTable } from './settings/settingsTable.ts'
export { type AddTorrentParams, StorageMode } from './torrent/addTorrentParams.ts'
export { AddPieceFlags, SaveResumeFlags } from './torrent/diskOperations.ts'
export { FileProgressFlags } from './torrent/fileProgress.ts'
export { BwState, ConnectionType, PeerFlags, type PeerInfo } from './torrent/peerInfo.ts'
export { StatusFlags, type TorrentStatus } from './torrent/torrentStatus.ts'
export { AnnounceEndpoint } from './tracker/announceEndpoint.ts'
export { AnnounceEntry, type TrackerSpec } from './tracker/announceEntry.ts'
export { Bitfield } from './util/bitfield.ts'
export { BigNumber, Sha1Hash, Sha256Hash } from './util/digest.ts'
export { BLOCK_SIZE_BYTES } from './util/flavored.ts'
export { VERSION } from './util/version.ts'
export type { UtpStatus } from './utp/utpStatus.ts'
