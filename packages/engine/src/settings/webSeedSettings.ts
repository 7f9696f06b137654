import { bool, int, source } from './settingRow.ts'

/** Settings about web seeds (BEP 17, BEP 19). */
export const webSeedSettings = {
  urlseedTimeout: int('urlseed_timeout', {
    default: 20,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'How long a web seed may stay silent before its connection counts as failed.',
  }),
  urlseedPipelineSize: int('urlseed_pipeline_size', {
    default: 5,
    min: 1,
    max: 100,
    unit: 'requests',
    source: source.manual,
    doc: 'Requests on their way to one web seed at once.',
  }),
  urlseedWaitRetry: int('urlseed_wait_retry', {
    default: 30,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'Until a web seed that failed is asked again; twice as long each time in a row, or as long as it said.',
  }),
  urlseedMaxRequestBytes: int('urlseed_max_request_bytes', {
    default: 16 * 1024 * 1024,
    min: 16 * 1024,
    unit: 'bytes',
    source: source.v1_1,
    doc: 'Most bytes asked of a web seed in one request.',
  }),
  maxWebSeedConnections: int('max_web_seed_connections', {
    default: 3,
    unit: 'web seeds',
    source: source.v1_2,
    doc: 'Web seeds of one torrent that are downloaded from at the same time. 0: none.',
  }),
  webSeedNameLookupRetry: int('web_seed_name_lookup_retry', {
    default: 1800,
    min: 1,
    unit: 's',
    source: source.v1_1,
    doc: "Until the name of a web seed's server that was not found is looked up again.",
  }),
  banWebSeeds: bool('ban_web_seeds', {
    default: true,
    classic: false,
    source: source.v1_0,
    doc: 'A web seed that sent wrong data is not used again. One with several files is not asked for the wrong ones in any case.',
  }),
  reportWebSeedDownloads: bool('report_web_seed_downloads', {
    default: true,
    source: source.v1_0,
    doc: 'What web seeds gave counts as downloaded: in the status of the torrent and when announcing to trackers.',
  }),
} as const
