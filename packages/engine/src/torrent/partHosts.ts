import type { BlockRequesterHost } from './blockRequester.ts'
import type { BlockServerHost } from './blockServer.ts'
import type { CompletionHost } from './completion.ts'
import type { ContentHost } from './content.ts'
import type { DiskAnswersHost } from './diskAnswers.ts'
import type { DiskTroubleHost } from './diskTrouble.ts'
import type { FilePrioritiesHost } from './filePriorities.ts'
import type { HolepunchHost } from './holepunch.ts'
import type { InterestHost } from './interest.ts'
import type { MetadataExchangeHost } from './metadataExchange.ts'
import type { PeerDiscoveryHost } from './peerDiscovery.ts'
import type { PeerExchangeHost } from './peerExchange.ts'
import type { PeerFilterHost } from './peerFilter.ts'
import type { PeerGreetingHost } from './peerGreeting.ts'
import type { PeerNewsHost } from './peerNews.ts'
import type { PeerTickerHost } from './peerTicker.ts'
import type { PieceSuggesterHost } from './pieceSuggester.ts'
import type { RatioKeeperHost } from './ratioKeeper.ts'
import type { RunStateHost } from './runState.ts'
import type { SeedModeHost } from './seedMode.ts'
import type { SwarmHost } from './swarm.ts'
import type { TorrentAnnouncerHost } from './torrentAnnouncer.ts'
import type { TorrentIdentityHost } from './torrentIdentity.ts'
import type { TorrentNewsHost } from './torrentNews.ts'
import type { PeerReportsHost } from './torrentPeerHost.ts'
import type { TorrentSslHost } from './torrentSsl.ts'
import type { TrackerExchangeHost } from './trackerExchange.ts'
import type { UploadModeHost } from './uploadMode.ts'
import type { WebSeedsHost } from './webSeeds.ts'

/** All that the parts of a torrent ask of it, each by its own interface. */
export type PartHosts = BlockRequesterHost &
  BlockServerHost &
  CompletionHost &
  ContentHost &
  DiskAnswersHost &
  DiskTroubleHost &
  FilePrioritiesHost &
  HolepunchHost &
  InterestHost &
  MetadataExchangeHost &
  PeerDiscoveryHost &
  PeerExchangeHost &
  PeerFilterHost &
  PeerGreetingHost &
  PeerNewsHost &
  PeerReportsHost &
  PeerTickerHost &
  PieceSuggesterHost &
  RatioKeeperHost &
  RunStateHost &
  SeedModeHost &
  SwarmHost &
  TorrentAnnouncerHost &
  TorrentIdentityHost &
  TorrentNewsHost &
  TorrentSslHost &
  TrackerExchangeHost &
  UploadModeHost &
  WebSeedsHost
