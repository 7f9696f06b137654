import type { Seconds } from '../util/flavored.ts'

/** The settings that web seeds depend on. */
export interface WebSeedSettings {
  /** `urlseed_timeout`: longest silence of a server. Default 20. */
  readonly urlseedTimeout: Seconds
  /** `urlseed_pipeline_size`: requests on their way to one server at once. Default 5. */
  readonly urlseedPipelineSize: number
  /** `urlseed_wait_retry`: until a server that failed is asked again; longer each time. Default 30. */
  readonly urlseedWaitRetry: Seconds
  /** `urlseed_max_request_bytes`: most bytes asked for in one request. Default 16 MiB. */
  readonly urlseedMaxRequestBytes: number
  /** `ban_web_seeds`: a web seed that sent wrong data of a single-file torrent is not used again. Default true. */
  readonly banWebSeeds: boolean
  /** `ssrf_mitigation`. */
  readonly ssrfMitigation: boolean
  /** `allow_idna`: servers may have international names, which can look like others. Default false. */
  readonly allowIdna?: boolean
  /** `user_agent`; empty: none is sent. */
  readonly userAgent: string
  /** `anonymous_mode`: no user agent is sent. Default false. */
  readonly anonymousMode?: boolean
  /** `web_seed_name_lookup_retry`: until a name that was not found is looked up again. Default 1800. */
  readonly webSeedNameLookupRetry: Seconds
}
