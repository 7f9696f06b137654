import type { Settings } from 'libtorrent-ts'

/** How fast to be; options as commander gives them, bytes a second. */
export interface RateLimitOptions {
  readonly limitUp?: number
  readonly limitDown?: number
}

/**
 * Who says how fast to be means everybody: peers of the local network, whom the engine exempts, are then held to the limit
 * as well. Without a limit nothing is set.
 */
export function rateLimitSettings({ limitUp, limitDown }: RateLimitOptions): Partial<Settings> {
  if (limitUp === undefined && limitDown === undefined) return {}
  return {
    ignoreLimitsOnLocalNetwork: false,
    ...(limitUp !== undefined && { uploadRateLimit: limitUp }),
    ...(limitDown !== undefined && { downloadRateLimit: limitDown }),
  }
}
