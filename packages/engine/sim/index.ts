/**
 * `libtorrent-ts/testing`: a network, disks and trackers in virtual time, to test BitTorrent programs without waiting
 * and without chance. Start with `SimWorld`.
 */
export { type Duration, durationMillis } from './duration.ts'
export { type ProxyRequest, ProxyServer, type ProxyServerOptions, type ProxyServerWorld } from './proxyServer.ts'
export { runScenario, type Scenario } from './runScenario.ts'
export { SeededRandom } from './seededRandom.ts'
export { SimBlockPool } from './simBlockPool.ts'
export { SimDisk, type SimDiskOptions } from './simDisk.ts'
export { type SimErrorCode, simError } from './simErrors.ts'
export { type CrashKeep, type FaultOptions, type FileOperation, SimFileSystem } from './simFileSystem.ts'
export { type HostOptions, SimHost } from './simHost.ts'
export { SimLog } from './simLog.ts'
export { type NameOptions, SimNames } from './simNames.ts'
export { type NatKind, type NatOptions, SimNat } from './simNat.ts'
export { type Chunking, type PathOptions, SimNetwork } from './simNetwork.ts'
export {
  type PeerMessage,
  type PeerMessageName,
  SimPeer,
  SimPeerConnection,
  type SimPeerOptions,
} from './simPeer.ts'
export { type ResourceKind, SimProcess } from './simProcess.ts'
export { SimProgram } from './simProgram.ts'
export { SimProxy } from './simProxy.ts'
export { type RouterMapping, type RouterOptions, SimRouter } from './simRouter.ts'
export { SimRtc, type WebSocketSite } from './simRtc.ts'
export { simIdentity, simRootCertificate } from './simTls.ts'
export {
  type AnnounceEvent,
  type AnnounceRecord,
  type AnnounceRequest,
  type ScrapeRecord,
  type ScriptedReply,
  SimTracker,
  type SwarmCounts,
  type TrackerAnswer,
  type TrackerOptions,
} from './simTracker.ts'
export { SimWeb, type WebHandler, type WebReply, type WebRequest, type WebResponse } from './simWeb.ts'
export { SimWorld, type SimWorldOptions, type WorldHostOptions, type WorldTrackerOptions } from './simWorld.ts'
export { type TestFile, TestTorrent, type TestTorrentOptions } from './testTorrent.ts'
export { SIM_EPOCH, VirtualTime, type VirtualTimeOptions } from './virtualTime.ts'
