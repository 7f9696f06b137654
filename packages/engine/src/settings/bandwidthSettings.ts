import { BandwidthMixedAlgo } from './settingEnums.ts'
import { bool, choice, int, source } from './settingRow.ts'

const NO_LIMIT = { default: 0, min: -1, max: Number.MAX_SAFE_INTEGER, unit: 'bytes/s' } as const

/** Settings about how fast peers may be sent to and received from. */
export const bandwidthSettings = {
  uploadRateLimit: int('upload_rate_limit', {
    ...NO_LIMIT,
    source: source.session,
    doc: 'How fast to upload, over all torrents (`session::set_upload_rate_limit`). 0 or -1: no limit. Peers of the local network are exempt, see `ignoreLimitsOnLocalNetwork`.',
  }),
  downloadRateLimit: int('download_rate_limit', {
    ...NO_LIMIT,
    source: source.session,
    doc: 'How fast to download, over all torrents, from peers and web seeds (`session::set_download_rate_limit`). 0 or -1: no limit. Peers of the local network are exempt, see `ignoreLimitsOnLocalNetwork`.',
  }),
  localUploadRateLimit: int('local_upload_rate_limit', {
    ...NO_LIMIT,
    source: source.session,
    doc: 'How fast to upload to peers of the local network, all together, while `ignoreLimitsOnLocalNetwork` exempts them from the other limits. 0 or -1: no limit.',
  }),
  localDownloadRateLimit: int('local_download_rate_limit', {
    ...NO_LIMIT,
    source: source.session,
    doc: 'How fast to download from peers of the local network, all together, while `ignoreLimitsOnLocalNetwork` exempts them from the other limits. 0 or -1: no limit.',
  }),
  ignoreLimitsOnLocalNetwork: bool('ignore_limits_on_local_network', {
    default: true,
    source: source.manual,
    doc: 'Peers on private networks and on this machine need no upload slot, and are exempt from the limits of the session and of torrents.',
  }),
  rateLimitIpOverhead: bool('rate_limit_ip_overhead', {
    default: true,
    source: source.manual,
    doc: 'The limits count TCP/IP headers and acknowledgements as well, by estimate. An upload limit that is less than the acknowledgements of what is downloaded then leaves nothing to upload with, and slows the download.',
  }),
  rateLimitUtp: bool('rate_limit_utp', {
    default: true,
    source: source.v1_0,
    doc: 'The limits of the session hold for uTP peers, too; those of torrents and peers always do.',
  }),
  mixedModeAlgorithm: choice<BandwidthMixedAlgo>('mixed_mode_algorithm', BandwidthMixedAlgo, {
    default: BandwidthMixedAlgo.peerProportional,
    classic: BandwidthMixedAlgo.preferTcp,
    source: source.v1_0,
    doc: 'What TCP peers leave to uTP peers, which yield to them.',
  }),
} as const
